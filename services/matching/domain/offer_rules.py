"""How long an offer is open, how urgency grows with waiting, and the reasons to decline, close and end."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.vocabulary import Urgency

LEVELS: Final[Mapping[Urgency, int]] = {
    Urgency.PREVENTIVE: 0,
    Urgency.ROUTINE: 1,
    Urgency.SOON: 2,
    Urgency.URGENT: 3,
    Urgency.VERY_URGENT: 5,
    Urgency.EMERGENCY: 6,
}

OVERDUE: Final = 4
"""Reached by waiting alone: ahead of everyone new, except those who cannot wait."""


class Decline(StrEnum):
    """Why an offer was declined. The next best gets an offer; this therapist gets no other one."""

    NO_AVAILABILITY = "no_availability"
    NOT_MY_SCOPE = "not_my_scope"
    CONFLICT_OF_INTEREST = "conflict_of_interest"
    CLIENT_DECLINED = "client_declined"
    CLIENT_UNREACHABLE = "client_unreachable"
    OTHER = "other"


class Closure(StrEnum):
    """How care under this referral ended, or why it never began."""

    COMPLETED = "completed"
    NO_SHOW = "no_show"
    CLIENT_STOPPED = "client_stopped"
    FOUND_CARE_ELSEWHERE = "found_care_elsewhere"
    MOVED_AWAY = "moved_away"
    TRANSFERRED = "transferred"
    OTHER = "other"


EXPIRED: Final = "expired"
THERAPIST_LEFT: Final = "therapist_inactive"
NEEDS_CHANGED: Final = "needs_changed"
CLOSED: Final = "referral_closed"


def waited(since: datetime, now: datetime, target: timedelta) -> float:
    """Time waited, in multiples of the target."""
    if target <= timedelta(0):
        return 0.0
    return max(0.0, (now - since) / target)


def level(urgency: Urgency, targets_waited: float) -> int:
    """One level up for each target that passed, up to overdue, so that nobody starves."""
    own = LEVELS[urgency]
    return max(own, min(OVERDUE, own + int(targets_waited)))


def share_waited(targets_waited: float) -> float:
    """From 0 towards 1 with the time waited: what tells apart clients of one level."""
    return targets_waited / (1 + targets_waited)


def expires_at(urgency: Urgency, now: datetime, hours: Mapping[Urgency, float]) -> datetime:
    """When an offer without a response goes to the next therapist."""
    return now + timedelta(hours=hours[urgency])
