"""The state of a referral in matching, and how a decision of triage changes it: the newest decision wins."""

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    WAITING = "waiting"
    HELD = "held"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    BOOKED = "booked"
    CLOSED = "closed"

    @property
    def has_place(self) -> bool:
        return self in (State.OFFERED, State.ACCEPTED, State.BOOKED)


class TriageOutcome(StrEnum):
    """What triage decided: match it, hold it for a clinician, or end it."""

    TRIAGED = "triaged"
    HELD = "held"
    OVER = "over"


class ClosedBy(StrEnum):
    """Who closed it. A referral that triage closed may come again; one that care closed is over."""

    TRIAGE = "triage"
    CARE = "care"


@dataclass(frozen=True, slots=True)
class MatchingState:
    """`revision` and `decision` number the newest decision of triage acted on. `held`: without a place it
    is held for a clinician, not waitlisted."""

    revision: int
    decision: int
    state: State
    held: bool = False
    closed_by: ClosedBy | None = None


def state_after(
    before: MatchingState | None, outcome: TriageOutcome, *, revision: int, decision: int
) -> MatchingState | None:
    """None when this or a newer decision has been acted on already."""
    if before and (revision, decision) <= (before.revision, before.decision):
        return None
    newer = replace(before or MatchingState(0, 0, State.HELD), revision=revision, decision=decision)
    if newer.closed_by is ClosedBy.CARE:
        return newer
    if outcome is TriageOutcome.OVER:
        return replace(newer, state=State.CLOSED, held=False, closed_by=ClosedBy.TRIAGE)
    newer = replace(newer, held=outcome is TriageOutcome.HELD, closed_by=None)
    return newer if newer.state.has_place else replace(newer, state=without_place(held=newer.held))


def without_place(*, held: bool) -> State:
    return State.HELD if held else State.WAITING
