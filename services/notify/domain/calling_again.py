"""Calling again about a crisis that was acknowledged and not resolved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.notify.domain import alert_wording, crisis_outcomes, ladder_step
from services.notify.domain.batch import Notice, Verdict
from services.notify.domain.call_state import Known
from services.notify.domain.directory import Directory
from services.notify.domain.draft import Draft, NewId
from services.notify.domain.ladder import Clocks
from shared.vocabulary import Lane, Urgency


@dataclass(frozen=True, slots=True)
class Crisis:
    """An alert that `by` had acknowledged."""

    notice: Notice
    by: str


def missed(
    crises: Sequence[Crisis],
    known: Mapping[UUID, Known],
    directory: Directory,
    clocks: Clocks,
    *,
    now: datetime,
    new_id: NewId,
) -> Verdict:
    """Nobody recorded an outcome of these in time."""
    draft = Draft(directory=directory, now=now, new_id=new_id)
    failed = [draft.fail(crisis.notice, crisis.by, "no_outcome") for crisis in crises]
    about = [(failure.notice, failure.id) for failure in failed]
    _call_again(about, crisis_outcomes.MISSED, known, draft, clocks)
    return draft.verdict()


def not_reached(
    notice: Notice,
    event_id: UUID,
    known: Mapping[UUID, Known],
    directory: Directory,
    clocks: Clocks,
    *,
    now: datetime,
    new_id: NewId,
) -> Verdict:
    """Whoever responded reached nobody, as the event of this id publishes."""
    draft = Draft(directory=directory, now=now, new_id=new_id)
    _call_again([(notice, event_id)], crisis_outcomes.NOT_REACHED, known, draft, clocks)
    return draft.verdict()


def _call_again(
    crises: Iterable[tuple[Notice, UUID]],
    why: str,
    known: Mapping[UUID, Known],
    draft: Draft,
    clocks: Clocks,
) -> None:
    """A new alert for each of these, with the id of the event it is about, unless one is open already."""
    now_known = dict(known)
    for notice, event_id in crises:
        before = now_known[notice.referral_id]
        urgency = notice.urgency or Urgency.EMERGENCY
        if before.waits_for(notice.audience, urgency):
            continue
        now_known[notice.referral_id] = before.called(notice.audience, urgency)
        again = _again(notice, event_id, urgency, why, draft)
        draft.add(again)
        pace = clocks.pace(urgency, (again.respond_by or draft.now) - draft.now)
        ladder_step.open_alert(again, pace, draft)


def _again(notice: Notice, event_id: UUID, urgency: Urgency, why: str, draft: Draft) -> Notice:
    by = crisis_outcomes.respond_again_by(notice.created_at, notice.respond_by, now=draft.now)
    words = alert_wording.called_again(urgency, by, why=why, late=by <= draft.now)
    return replace(
        notice,
        id=draft.new_id(),
        event_id=event_id,
        lane=Lane.EXPRESS,
        title=words.title,
        text=words.text,
        respond_by=by,
        occurred_at=draft.now,
        created_at=draft.now,
        unaddressed=False,
    )
