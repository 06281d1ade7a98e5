"""What is to be saved and announced once it is decided: notices, climbing alerts, deliveries, facts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.notify.domain.directory import Recipient
from services.notify.domain.ladder import Alert
from shared.events import NotifyFact
from shared.ids import new_id
from shared.vocabulary import Lane, Urgency

HEAD_START: Final = timedelta(days=1)
"""An alert stands so far ahead of what else is due in the same lane; what cannot wait twice as far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to be told to one audience. An alarm `answers` the alert that it is about."""

    id: UUID
    event_id: UUID
    audience: str
    about: str
    referral_id: UUID
    revision: int
    decision: int
    clinic: str
    region: str
    therapist: UUID | None
    urgency: Urgency | None
    lane: Lane
    title: str
    text: str
    respond_by: datetime | None
    occurred_at: datetime
    created_at: datetime
    is_alert: bool = False
    answers: UUID | None = None
    unaddressed: bool = False
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One telling of a notice to a recipient, first by this channel."""

    notice_id: UUID
    recipient: str
    channel: int
    step: int
    lane: Lane
    line: str
    first_at: datetime
    due_at: datetime
    id: UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Climber:
    """An alert on its ladder, with the alarms given about it. `acknowledged`: the other audiences whose own
    part of it somebody has acknowledged."""

    notice: Notice
    alert: Alert
    steps: int = 0
    alarms: int = 0
    alarm_notices: tuple[Notice, ...] = ()
    acknowledged: frozenset[str] = frozenset()
    next_step_at: datetime


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A clinician decided, which answers what clinicians were asked up to that decision."""

    referral_id: UUID
    decision: int
    by: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Gathers what a batch decides. `reworded`: notices known already whose text has changed."""

    notices: list[Notice] = field(default_factory=list)
    climbers: list[Climber] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    reviews: list[Reviewed] = field(default_factory=list)
    facts: list[NotifyFact] = field(default_factory=list)
    reworded: list[Notice] = field(default_factory=list)

    def reword(self, notice: Notice) -> None:
        for place, known in enumerate(self.notices):
            if known.id == notice.id:
                self.notices[place] = notice
                return
        self.reworded.append(notice)

    def put(self, climber: Climber) -> None:
        """In place of what was decided about the same alert before."""
        self.climbers[:] = [c for c in self.climbers if c.notice.id != climber.notice.id]
        self.climbers.append(climber)

    def tell(self, notice: Notice, recipients: Iterable[Recipient], *, now: datetime) -> None:
        """By each recipient's first channel; the others are for when that one fails."""
        for recipient in recipients:
            self.deliver(notice, recipient, channel=0, step=0, now=now)

    def tell_everywhere(
        self, notice: Notice, recipients: Iterable[Recipient], *, step: int, now: datetime
    ) -> None:
        """By every channel they have."""
        for recipient in recipients:
            for channel in range(len(recipient.lines)):
                self.deliver(notice, recipient, channel=channel, step=step, now=now)

    def deliver(
        self, notice: Notice, recipient: Recipient, *, channel: int, step: int, now: datetime
    ) -> None:
        delivery = Delivery(
            notice_id=notice.id,
            recipient=recipient.id,
            channel=channel,
            step=step,
            lane=notice.lane,
            line=recipient.lines[channel],
            first_at=now,
            due_at=now - HEAD_START * _precedence(notice),
        )
        self.deliveries.append(delivery)


def _precedence(notice: Notice) -> int:
    """An alarm is as its alert."""
    if notice.urgency and notice.urgency.cannot_wait:
        return 2
    return 1 if notice.is_alert or notice.answers else 0
