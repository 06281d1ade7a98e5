"""A verdict in the making. It lives inside one decision, which ends with `verdict()`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.notify.domain.batch import (
    Acknowledged,
    Delivery,
    EscalatingAlert,
    Failure,
    NobodyInRegion,
    Notice,
    Reviewed,
    Verdict,
)
from services.notify.domain.call_state import Known
from services.notify.domain.directory import Directory, Recipient

HEAD_START: Final = timedelta(days=1)
"""An alert is due this much ahead of what else is due in the same lane; what cannot wait, twice as much."""

NewId = Callable[[], UUID]


@dataclass(slots=True, kw_only=True)
class Draft:
    """`notified`: each event notifies each audience once, so these pairs are done."""

    directory: Directory
    now: datetime
    new_id: NewId
    notified: set[tuple[UUID, str]] = field(default_factory=set)
    notices: dict[UUID, Notice] = field(default_factory=dict)
    alerts: dict[UUID, EscalatingAlert] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    reworded: dict[UUID, Notice] = field(default_factory=dict)
    settled: dict[UUID, str] = field(default_factory=dict)
    reviewed: list[Reviewed] = field(default_factory=list)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    nobody_in_region: list[NobodyInRegion] = field(default_factory=list)

    def verdict(self, known: Mapping[UUID, Known] | None = None) -> Verdict:
        return Verdict(
            notices=tuple(self.notices.values()),
            alerts=tuple(self.alerts.values()),
            deliveries=tuple(self.deliveries),
            reworded=tuple(self.reworded.values()),
            settled=dict(self.settled),
            acknowledged=tuple(self.acknowledged),
            failures=tuple(self.failures),
            nobody_in_region=tuple(self.nobody_in_region),
            known=dict(known or {}),
        )

    def add(self, notice: Notice) -> bool:
        """False if this event has notified this audience before."""
        pair = (notice.event_id, notice.audience)
        if pair in self.notified:
            return False
        self.notified.add(pair)
        self.notices[notice.id] = notice
        return True

    def put(self, alert: EscalatingAlert) -> None:
        """In place of what was decided about the same alert before."""
        self.alerts.pop(alert.notice.id, None)
        self.alerts[alert.notice.id] = alert

    def reword(self, notice: Notice) -> None:
        (self.notices if notice.id in self.notices else self.reworded)[notice.id] = notice

    def fail(self, notice: Notice, recipient: str, reason: str) -> Failure:
        failure = Failure(id=self.new_id(), notice=notice, recipient=recipient, reason=reason)
        self.failures.append(failure)
        return failure

    def notify(self, notice: Notice, recipients: Iterable[Recipient]) -> None:
        """By each recipient's first channel; the others are for when that one fails."""
        for recipient in recipients:
            self.deliver(notice, recipient, channel=0, step=0)

    def notify_everywhere(self, notice: Notice, recipients: Iterable[Recipient], *, step: int) -> None:
        """By every channel they have."""
        for recipient in recipients:
            for channel in range(len(recipient.hosts)):
                self.deliver(notice, recipient, channel=channel, step=step)

    def deliver(self, notice: Notice, recipient: Recipient, *, channel: int, step: int) -> None:
        delivery = Delivery(
            id=self.new_id(),
            notice_id=notice.id,
            recipient=recipient.id,
            channel=channel,
            step=step,
            lane=notice.lane,
            host=recipient.hosts[channel],
            first_at=self.now,
            due_at=self.now - HEAD_START * _precedence(notice),
        )
        self.deliveries.append(delivery)


def _precedence(notice: Notice) -> int:
    """An alarm is as its alert."""
    if notice.urgency and notice.urgency.cannot_wait:
        return 2
    return 1 if notice.is_alert or notice.answers else 0
