"""Does a decision call somebody, or have they been called already?"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from shared.vocabulary import Urgency

PSYCHIATRIST: Final = "psychiatrist"
CLINICIAN: Final = "clinician"

CANNOT_WAIT: Final = frozenset({Urgency.EMERGENCY, Urgency.VERY_URGENT})

_ORDER: Final = tuple(Urgency)


def at_least_as_urgent(one: Urgency, other: Urgency) -> bool:
    return _ORDER.index(one) <= _ORDER.index(other)


@dataclass(frozen=True, slots=True)
class Open:
    """An alert that nobody has acknowledged yet."""

    audience: str
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class Known:
    """What was heard of a referral before, what its referrer was told, and the alerts still open. `terms` are
    the parts of it that the network does not know and a coordinator has been asked about."""

    decision: int = 0
    urgency: Urgency | None = None
    open: frozenset[Open] = frozenset()
    told: Urgency | None = None
    over: bool = False
    terms: frozenset[str] = frozenset()

    def is_stale(self, decision: int) -> bool:
        """A newer decision was already told of."""
        return decision < self.decision

    def calls_psychiatrist(self, urgency: Urgency, restates: Urgency | None = None) -> bool:
        """When it cannot wait and is more urgent than before or was stated again. An alert still open goes on
        by itself."""
        raised = self.urgency is None or not at_least_as_urgent(self.urgency, urgency)
        if urgency in CANNOT_WAIT and raised:
            return not self.waits_for(PSYCHIATRIST, urgency)
        return restates in CANNOT_WAIT and not self.waits_for(PSYCHIATRIST, restates)

    def calls_clinician(self, urgency: Urgency) -> bool:
        """Each review is new work, unless an open one is at least as urgent."""
        return not self.waits_for(CLINICIAN, urgency)

    def waits_for(self, audience: str, urgency: Urgency) -> bool:
        """An alert of at least this urgency is open."""
        return any(o.audience == audience and at_least_as_urgent(o.urgency, urgency) for o in self.open)

    def heard(self, decision: int, urgency: Urgency) -> "Known":
        """Newly decided, so it is going on."""
        return replace(self, decision=decision, urgency=urgency, over=False)

    def ended(self, decision: int | None = None) -> "Known":
        """Should it go on after all, everything about it is news again."""
        return replace(self, decision=decision or self.decision, urgency=None, told=None, over=True)

    def informed(self, urgency: Urgency) -> "Known":
        return replace(self, told=urgency)

    def asked_about(self, terms: Iterable[str]) -> "Known":
        return replace(self, terms=frozenset(terms))

    def called(self, audience: str, urgency: Urgency) -> "Known":
        return replace(self, open=self.open | {Open(audience, urgency)})

    def reviewed(self) -> "Known":
        """A clinician decided: that answers what clinicians were asked."""
        return replace(self, open=frozenset(o for o in self.open if o.audience != CLINICIAN))

    @property
    def waiting_audiences(self) -> tuple[str, ...]:
        """Who has not answered an alert."""
        return tuple(sorted({o.audience for o in self.open}))
