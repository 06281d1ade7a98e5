"""What a decision comes to: notices, alerts on their ladders, deliveries, and what is published of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.notify.domain.call_state import Known
from services.notify.domain.directory import Directory
from services.notify.domain.ladder import Alert
from shared.vocabulary import Lane, Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to notify one audience of. An alarm `answers` the alert that it is about."""

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
    """A notice on its way to a recipient, first by this channel."""

    id: UUID
    notice_id: UUID
    recipient: str
    channel: int
    step: int
    lane: Lane
    host: str
    first_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalatingAlert:
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
class UnsettledAlert:
    """An alert that still expects something of somebody. `recipients`: who was notified, the latest first."""

    notice: Notice
    acknowledged_by: str | None
    recipients: tuple[str, ...]

    @property
    def goes_on(self) -> bool:
        """Nobody has acknowledged it yet."""
        return self.acknowledged_by is None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A clinician decided, which settles what clinicians were asked up to that decision."""

    referral_id: UUID
    decision: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """An alert that is acknowledged from now on, and whose delivery it was. `id` is the event's."""

    id: UUID
    notice: Notice
    recipient: str
    by: str
    taken_over: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A notice that reaches nobody, or an alert that nobody acknowledges. `id` is the event's."""

    id: UUID
    notice: Notice
    recipient: str
    reason: str


@dataclass(frozen=True, slots=True)
class NobodyInRegion:
    """An alert of a region that has nobody on call; `instead` others are."""

    audience: str
    instead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that a decision about a batch of events rests on.

    `escalating` are the open alerts that an event may state again; `reviews` the unsettled alerts to
    clinicians that a decision settles, `others` the newest unsettled alert of each audience of the same
    referrals;
    `notified` the audiences that an earlier arrival of the same event has notified.
    """

    directory: Directory
    known: Mapping[UUID, Known] = field(default_factory=dict)
    escalating: Mapping[UUID, EscalatingAlert] = field(default_factory=dict)
    reviews: tuple[UnsettledAlert, ...] = ()
    others: tuple[UnsettledAlert, ...] = ()
    notified: frozenset[tuple[UUID, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`reworded`: notices stored before whose text has changed. `settled`: alerts that a clinician's decision
    settles, with who decided. `known`: what is known of each referral from now on."""

    notices: tuple[Notice, ...] = ()
    alerts: tuple[EscalatingAlert, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    reworded: tuple[Notice, ...] = ()
    settled: Mapping[UUID, str] = field(default_factory=dict)
    acknowledged: tuple[Acknowledged, ...] = ()
    failures: tuple[Failure, ...] = ()
    nobody_in_region: tuple[NobodyInRegion, ...] = ()
    known: Mapping[UUID, Known] = field(default_factory=dict)

    def alarmed(self, now: datetime) -> list[EscalatingAlert]:
        """The alerts whose alarm was given just now."""
        return [one for one in self.alerts if one.alert.alarmed_at == now]
