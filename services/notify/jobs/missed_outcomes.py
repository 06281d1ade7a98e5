"""Calling again about a crisis that was acknowledged and not resolved."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notify.db import alerts, notices, recipients, save_batch
from services.notify.domain import crisis_outcomes, ladder_step, wording
from services.notify.domain.batch import Notice, Plan
from services.notify.domain.ladder import Clocks
from shared.db import outbox
from shared.db.postgres import Connection, Pool, transaction
from shared.events import NotifyFact
from shared.ids import new_id
from shared.ids import now as present
from shared.vocabulary import Lane, Urgency

AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedOutcomes:
    """The loop that starts the ladder again where nobody recorded an outcome in time."""

    clocks: Clocks
    pool: Callable[[], Pool]
    committed: Callable[[], None]
    clock: Callable[[], datetime] = present

    async def turn(self) -> bool:
        """True when there may be more."""
        now = self.clock()
        async with transaction(self.pool()) as connection:
            missed = await alerts.take_missed(connection, now=now, limit=AT_ONCE)
            if not missed:
                return False
            failed = [
                (notice, ladder_step.failed(notice, by, "no_outcome", now=now)) for notice, by in missed
            ]
            again = [(notice, fact.event_id) for notice, fact in failed]
            facts: list[NotifyFact] = [fact for _, fact in failed]
            facts += await call_again(connection, again, crisis_outcomes.MISSED, self.clocks, now=now)
            await outbox.publish(connection, facts)
        self.committed()
        return len(missed) == AT_ONCE


async def call_again(
    connection: Connection, crises: Sequence[tuple[Notice, UUID]], why: str, clocks: Clocks, *, now: datetime
) -> list[NotifyFact]:
    """A new alert for each of these, with the id of the fact it is about, unless one is open already."""
    known = await notices.known(connection, {notice.referral_id for notice, _ in crises})
    directory = await recipients.directory(connection, regions={notice.region for notice, _ in crises})
    plan = Plan()
    for notice, event_id in crises:
        before = known[notice.referral_id]
        urgency = notice.urgency or Urgency.EMERGENCY
        if before.waits_for(notice.audience, urgency):
            continue
        known[notice.referral_id] = before.called(notice.audience, urgency)
        again = _again(notice, event_id, urgency, why, now=now)
        plan.notices.append(again)
        pace = clocks.pace(urgency, (again.respond_by or now) - now)
        ladder_step.open_alert(again, pace, directory, plan, now=now)
    return await save_batch.save(connection, plan, now=now)


def _again(notice: Notice, event_id: UUID, urgency: Urgency, why: str, *, now: datetime) -> Notice:
    by = crisis_outcomes.respond_again_by(notice.created_at, notice.respond_by, now=now)
    words = wording.called_again(urgency, by, why=why, late=by <= now)
    return replace(
        notice,
        id=new_id(),
        event_id=event_id,
        lane=Lane.EXPRESS,
        title=words.title,
        text=words.text,
        respond_by=by,
        occurred_at=now,
        created_at=now,
        unaddressed=False,
    )
