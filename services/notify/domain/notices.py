"""From an event and its words to notices: who gets each, and what it means if nobody does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notify.domain import ladder_step
from services.notify.domain.alarms import NOBODY
from services.notify.domain.batch import EscalatingAlert, NobodyInRegion, Notice, Verdict
from services.notify.domain.call_state import CLINICIAN, PSYCHIATRIST
from services.notify.domain.directory import DESKS, Directory, Recipient
from services.notify.domain.draft import Draft, NewId
from services.notify.domain.events import Event, TriageEvent
from services.notify.domain.ladder import Clocks, Pace
from services.notify.domain.words import CLINIC, PRIMARY_CARE, THERAPIST, Words
from shared.vocabulary import Lane, Urgency

OVERDUE: Final = "ReviewOverdue"
"""What is past its time is called about at a pace of its own, or as fast as whatever cannot wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """Adds to `draft` who is notified of an event. `escalating` are open alerts that it may state again."""

    draft: Draft
    clocks: Clocks
    escalating: Mapping[UUID, EscalatingAlert] = field(default_factory=dict)

    def notify(
        self,
        event: Event,
        words: Sequence[Words],
        *,
        urgency: Urgency | None,
        therapist: UUID | None = None,
        first: str | None = None,
    ) -> dict[str, UUID]:
        """The new notice of each audience. `first` is called before those on call."""
        made: dict[str, UUID] = {}
        for each in words:
            recipients = self._recipients(each, event, therapist)
            if recipients or each.must_reach:
                notice = self._notice(event, each, urgency, therapist)
                if self.draft.add(notice):
                    self._address(notice, recipients, first)
                    made[each.audience] = notice.id
        return made

    def state_again(self, notice: UUID | None) -> bool:
        """Whether that alert was still open, so that whoever was notified of it is notified again."""
        open_alert = (self.draft.alerts.get(notice) or self.escalating.get(notice)) if notice else None
        if open_alert is None:
            return False
        ladder_step.state_again(open_alert, self.draft)
        return True

    def is_on_call(self, audience: str, region: str) -> bool:
        """Whether there is anybody."""
        return bool(self._directory.on_call(audience, region, self.now))

    def reaches_primary_care(self, clinic: str) -> bool:
        return bool(self._directory.of_clinic(PRIMARY_CARE, clinic))

    @property
    def now(self) -> datetime:
        return self.draft.now

    @property
    def _directory(self) -> Directory:
        return self.draft.directory

    def _address(self, notice: Notice, recipients: Sequence[Recipient], first: str | None) -> None:
        if notice.is_alert:
            self._note_nobody_in_region(notice)
            ladder_step.open_alert(notice, self._pace(notice), self.draft, first=first)
        elif recipients:
            self.draft.notify(notice, recipients)
        else:  # it waits for a recipient, and that is published once
            self.draft.reword(replace(notice, unaddressed=True))
            self.draft.fail(notice, NOBODY, "no_recipient")

    def _note_nobody_in_region(self, notice: Notice) -> None:
        if not self._directory.on_call_of_region(notice.audience, notice.region, self.now):
            instead = len(self._directory.on_call(notice.audience, notice.region, self.now))
            self.draft.nobody_in_region.append(NobodyInRegion(notice.audience, instead))

    def _pace(self, notice: Notice) -> Pace:
        if notice.about == OVERDUE and not (notice.urgency and notice.urgency.cannot_wait):
            return self.clocks.overdue
        return self.clocks.pace(
            notice.urgency or Urgency.EMERGENCY, (notice.respond_by or self.now) - self.now
        )

    def _recipients(self, words: Words, event: Event, therapist: UUID | None) -> list[Recipient]:
        if words.audience in (PSYCHIATRIST, CLINICIAN):
            on_call = self._directory.on_call(words.audience, event.region, self.now)
            covers = [] if words.alert else self._directory.covering(words.audience, event.region)
            return on_call or covers
        return addressed(
            self._directory, words.audience, region=event.region, clinic=event.clinic, therapist=therapist
        )

    def _notice(self, event: Event, words: Words, urgency: Urgency | None, therapist: UUID | None) -> Notice:
        triage = event if isinstance(event, TriageEvent) else None
        express = words.alert and (
            (urgency is not None and urgency.cannot_wait) or (triage is not None and triage.express)
        )
        return Notice(
            id=self.draft.new_id(),
            event_id=event.id,
            audience=words.audience,
            about=event.type,
            referral_id=event.referral_id,
            revision=event.revision,
            decision=triage.decision if triage else 0,
            clinic=event.clinic,
            region=event.region,
            therapist=therapist,
            urgency=urgency,
            lane=Lane.EXPRESS if express else Lane.ROUTINE,
            title=words.title,
            text=words.text,
            respond_by=words.respond_by,
            occurred_at=event.occurred_at,
            created_at=self.now,
            is_alert=words.alert,
            traceparent=event.traceparent,
        )


def addressed(
    directory: Directory, audience: str, *, region: str, clinic: str, therapist: UUID | None
) -> list[Recipient]:
    """Everyone that a notice to this audience is for."""
    if audience in (CLINIC, PRIMARY_CARE):
        return directory.of_clinic(audience, clinic)
    if audience == THERAPIST and therapist is not None:
        return directory.of_therapist(therapist, region)
    return directory.desk(audience, region) if audience in DESKS else directory.covering(audience, region)


def notify_newcomer(
    recipient: Recipient, unaddressed: Sequence[Notice], *, now: datetime, new_id: NewId
) -> Verdict:
    """A recipient who has just come gets what found nobody when it was made."""
    draft = Draft(directory=Directory([recipient]), now=now, new_id=new_id)
    for notice in unaddressed:
        where = {"region": notice.region, "clinic": notice.clinic}
        if addressed(draft.directory, notice.audience, **where, therapist=notice.therapist):
            draft.notify(notice, [recipient])
    return draft.verdict()
