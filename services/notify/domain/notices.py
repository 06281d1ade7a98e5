"""From a fact and its words to notices: who gets each, and what it means if nobody does."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notify.domain import ladder_step
from services.notify.domain.batch import Climber, Notice, Plan
from services.notify.domain.call_state import CLINICIAN, PSYCHIATRIST
from services.notify.domain.directory import DESKS, Directory, Recipient
from services.notify.domain.ladder import Clocks, Pace
from services.notify.domain.wording import CLINIC, PRIMARY_CARE, THERAPIST, Words
from services.notify.metrics import NOBODY_IN_REGION
from shared.events import ReferralFact, TriageFact
from shared.ids import new_id
from shared.telemetry import logs, trace
from shared.vocabulary import Lane, Urgency

log = logs.get(__name__)

OVERDUE: Final = "ReviewOverdue"
"""What is past its time is called about at a pace of its own, or as fast as whatever cannot wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Adds to `plan` what is told of facts. `climbers` are open alerts that a fact may state again."""

    directory: Directory
    clocks: Clocks
    plan: Plan
    now: datetime
    climbers: Mapping[UUID, Climber] = field(default_factory=dict)

    def tell(
        self,
        fact: ReferralFact,
        words: list[Words],
        *,
        urgency: Urgency | None,
        therapist: UUID | None = None,
        first: str | None = None,
    ) -> dict[str, UUID]:
        """The notice of each audience. `first` is called before those on call."""
        told: dict[str, UUID] = {}
        for said in words:
            recipients = self._recipients(said, fact, therapist)
            if recipients or said.must_reach:
                notice = _notice(fact, said, urgency, therapist, now=self.now)
                self._tell(notice, recipients, first)
                told[said.audience] = notice.id
        return told

    def state_again(self, notice: UUID | None) -> bool:
        """Whether that alert was still open, so that whoever was told of it is told again."""
        opened = {climber.notice.id: climber for climber in self.plan.climbers}
        climber = (opened.get(notice) or self.climbers.get(notice)) if notice else None
        if climber is None:
            return False
        ladder_step.state_again(climber, self.directory, self.plan, now=self.now)
        return True

    def is_on_call(self, audience: str, region: str) -> bool:
        """Whether there is anybody."""
        return bool(self.directory.on_call(audience, region, self.now))

    def reaches_primary_care(self, clinic: str) -> bool:
        return bool(self.directory.of_clinic(PRIMARY_CARE, clinic))

    def _tell(self, notice: Notice, recipients: list[Recipient], first: str | None) -> None:
        self.plan.notices.append(notice)
        if notice.is_alert:
            self._note_nobody_in_region(notice)
            pace = self._pace(notice)
            ladder_step.open_alert(notice, pace, self.directory, self.plan, now=self.now, first=first)
        elif recipients:
            self.plan.tell(notice, recipients, now=self.now)
        else:
            self._unaddressed(notice)

    def _note_nobody_in_region(self, notice: Notice) -> None:
        if self.directory.on_call_of_region(notice.audience, notice.region, self.now):
            return
        NOBODY_IN_REGION.labels(notice.audience).inc()
        log.warning(
            "nobody on call in the region",
            action="on-call",
            audience=notice.audience,
            instead=len(self.directory.on_call(notice.audience, notice.region, self.now)),
        )

    def _unaddressed(self, notice: Notice) -> None:
        """It waits for a recipient, and says so once."""
        self.plan.notices[-1] = replace(notice, unaddressed=True)
        self.plan.facts.append(ladder_step.failed(notice, ladder_step.NOBODY, "no_recipient", now=self.now))

    def _pace(self, notice: Notice) -> Pace:
        if notice.about == OVERDUE and not (notice.urgency and notice.urgency.cannot_wait):
            return self.clocks.overdue
        return self.clocks.pace(
            notice.urgency or Urgency.EMERGENCY, (notice.respond_by or self.now) - self.now
        )

    def _recipients(self, said: Words, fact: ReferralFact, therapist: UUID | None) -> list[Recipient]:
        if said.audience in (PSYCHIATRIST, CLINICIAN):
            on_call = self.directory.on_call(said.audience, fact.region, self.now)
            covers = [] if said.alert else self.directory.covering(said.audience, fact.region)
            return on_call or covers
        return addressed(
            self.directory, said.audience, region=fact.region, clinic=fact.clinic, therapist=therapist
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


def _notice(
    fact: ReferralFact, said: Words, urgency: Urgency | None, therapist: UUID | None, *, now: datetime
) -> Notice:
    triage = fact if isinstance(fact, TriageFact) else None
    express = said.alert and (
        (urgency is not None and urgency.cannot_wait) or (triage is not None and triage.express)
    )
    return Notice(
        id=new_id(),
        event_id=fact.event_id,
        audience=said.audience,
        about=fact.type,
        referral_id=fact.referral_id,
        revision=fact.revision,
        decision=triage.decision if triage else 0,
        clinic=fact.clinic,
        region=fact.region,
        therapist=therapist,
        urgency=urgency,
        lane=Lane.EXPRESS if express else Lane.ROUTINE,
        title=said.title,
        text=said.text,
        respond_by=said.respond_by,
        occurred_at=fact.occurred_at,
        created_at=now,
        is_alert=said.alert,
        traceparent=trace.cause_of(fact.referral_id),
    )
