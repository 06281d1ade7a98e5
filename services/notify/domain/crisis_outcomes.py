"""What came of a crisis that somebody acknowledged, and until when it must be known."""

from datetime import datetime
from typing import Final

from services.notify.domain.call_state import PSYCHIATRIST
from services.notify.domain.ladder import Clocks
from shared.vocabulary import Urgency

NOT_REACHED: Final = "not_reached"
MISSED: Final = "missed"
"""Nobody recorded an outcome in time."""

CALLS_AGAIN: Final = frozenset({NOT_REACHED, MISSED})


def asks_for_outcome(audience: str, urgency: Urgency | None) -> bool:
    return audience == PSYCHIATRIST and urgency is not None and urgency.cannot_wait


def outcome_due_at(
    audience: str,
    urgency: Urgency | None,
    respond_by: datetime | None,
    clocks: Clocks,
    *,
    acknowledged_at: datetime,
) -> datetime | None:
    """Never before the time to respond is over; None where no outcome is asked for."""
    if not asks_for_outcome(audience, urgency):
        return None
    takes = clocks.outcome_emergency if urgency is Urgency.EMERGENCY else clocks.outcome_very_urgent
    return max(acknowledged_at + takes, respond_by or acknowledged_at)


def respond_again_by(opened_at: datetime, respond_by: datetime | None, *, now: datetime) -> datetime:
    """Who is called again has as long as who was called first; the deadline stays where that was none."""
    if respond_by is None:
        return now
    return now + (respond_by - opened_at) if respond_by > opened_at else respond_by
