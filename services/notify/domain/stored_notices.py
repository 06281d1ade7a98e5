"""A notice as it stands by now, and what may be done about it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notify.domain import crisis_outcomes
from services.notify.domain.batch import Notice
from services.notify.domain.call_state import PSYCHIATRIST, is_psychiatrist
from services.notify.domain.calling_again import Crisis
from services.notify.domain.refusals import (
    NoOutcomeAsked,
    NotAcknowledged,
    NothingToAcknowledge,
    TakeoverNeeded,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredNotice:
    """`alarm_by` and what follows it are of alerts only."""

    notice: Notice
    state: str
    alarm_by: datetime | None
    alarms: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    taken_over: str | None
    outcome: str | None
    outcome_at: datetime | None
    outcome_by: str | None
    outcome_due_at: datetime | None

    @property
    def alert_id(self) -> UUID:
        """Of an alarm, the alert that it is about. Raises `NothingToAcknowledge` where there is none."""
        if self.notice.answers:
            return self.notice.answers
        if not self.notice.is_alert:
            raise NothingToAcknowledge
        return self.notice.id


def taken_over(
    alert: StoredNotice, *, on_call: bool, recipient_of: str | None, reason: str | None
) -> str | None:
    """The reason, where somebody responds for a psychiatrist. Raises `TakeoverNeeded` without one."""
    if alert.notice.audience != PSYCHIATRIST or alert.acknowledged_at is not None:
        return None
    if is_psychiatrist(on_call=on_call, recipient_of=recipient_of):
        return None
    if reason is None:
        raise TakeoverNeeded
    return reason


def acknowledged_crisis(alert: StoredNotice) -> Crisis:
    """Raises a refusal for what has no outcome to record."""
    notice = alert.notice
    if not crisis_outcomes.asks_for_outcome(notice.audience, notice.urgency) or not notice.is_alert:
        raise NoOutcomeAsked
    if alert.acknowledged_by is None:
        raise NotAcknowledged
    return Crisis(notice, alert.acknowledged_by)
