"""The states of a referral, what FHIR calls them, and what its clinic may do in each."""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a referral stands, as its clinic reads it."""

    RECEIVED = "received"
    IN_REVIEW = "in_review"
    NEEDS_INFORMATION = "needs_information"
    TRIAGED = "triaged"
    WAITLISTED = "waitlisted"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    BOOKED = "booked"
    CRISIS_HANDOVER = "crisis_handover"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


FHIR_STATUS: Final = {
    State.RECEIVED: "received",
    State.IN_REVIEW: "received",
    State.NEEDS_INFORMATION: "on-hold",
    State.TRIAGED: "ready",
    State.WAITLISTED: "ready",
    State.OFFERED: "ready",
    State.ACCEPTED: "accepted",
    State.BOOKED: "in-progress",
    State.CRISIS_HANDOVER: "in-progress",
    State.RETURNED: "rejected",
    State.WITHDRAWN: "cancelled",
    State.CLOSED: "completed",
}
"""FHIR R4 Task.status of each state."""

FINAL: Final = frozenset({State.RETURNED, State.WITHDRAWN, State.CLOSED})


def next_actions(state: State) -> tuple[str, ...]:
    """What the clinic may do now, what is asked of it first."""
    if state is State.RETURNED:
        return ("take_next_step", "submit_again")
    if state is State.NEEDS_INFORMATION:
        return ("give_information", "record_screening", "withdraw")
    if state in FINAL:
        return ()
    return ("amend", "record_screening", "withdraw")
