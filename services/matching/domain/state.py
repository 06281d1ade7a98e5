"""How a referral stands with matching, and what a fact of triage changes: the newest decision wins."""

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


class Said(StrEnum):
    """What triage said: it may be matched, it must wait for a clinician, or it is over."""

    TRIAGED = "triaged"
    HOLDS = "holds"
    OVER = "over"


class By(StrEnum):
    """Who closed it. What triage closed may come again; what care closed is over."""

    TRIAGE = "triage"
    CARE = "care"


@dataclass(frozen=True, slots=True)
class Standing:
    """`revision` and `decision` number the newest word of triage acted on. `held`: were it to wait now, it
    would wait for a clinician."""

    revision: int
    decision: int
    state: State
    held: bool = False
    closed_by: By | None = None


def after(standing: Standing | None, said: Said, *, revision: int, decision: int) -> Standing | None:
    """How it stands then; None when something newer has been acted on already."""
    if standing and (revision, decision) <= (standing.revision, standing.decision):
        return None
    newer = replace(standing or Standing(0, 0, State.HELD), revision=revision, decision=decision)
    if newer.closed_by is By.CARE:
        return newer
    if said is Said.OVER:
        return replace(newer, state=State.CLOSED, held=False, closed_by=By.TRIAGE)
    newer = replace(newer, held=said is Said.HOLDS, closed_by=None)
    return newer if newer.state.has_place else replace(newer, state=waits(held=newer.held))


def waits(*, held: bool) -> State:
    return State.HELD if held else State.WAITING
