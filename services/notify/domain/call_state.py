"""Does a decision call somebody, or have they been called already?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar
from uuid import UUID

from shared.vocabulary import Urgency, at_least_as_urgent

PSYCHIATRIST: Final = "psychiatrist"
CLINICIAN: Final = "clinician"


def is_psychiatrist(*, on_call: bool, recipient_of: str | None) -> bool:
    """Who may end the psychiatrist's part without taking it over: a recipient of that audience, or the role
    oncall, unless it is known as a recipient of another audience."""
    return recipient_of == PSYCHIATRIST if recipient_of else on_call


@dataclass(frozen=True, slots=True)
class Open:
    """An alert that nobody has acknowledged yet."""

    audience: str
    urgency: Urgency
    notice: UUID | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Held:
    """An alert that somebody has acknowledged: its crisis has no outcome yet, its review no decision."""

    audience: str
    urgency: Urgency
    by: str


_Alert = TypeVar("_Alert", Open, Held)


@dataclass(frozen=True, slots=True)
class Known:
    """What was heard of a referral before, what its referrer was notified of, and its alerts.

    `psychiatrist_notified` is the urgency at which a psychiatrist was notified last, `primary_care_notified`
    the part that primary care was notified of; `called_at` the newest revision that called an audience.
    `terms` are the parts of it that the network does not know and a coordinator has been asked about.
    """

    decision: int = 0
    urgency: Urgency | None = None
    open: frozenset[Open] = frozenset()
    referrer_notified: Urgency | None = None
    over: bool = False
    held: frozenset[Held] = frozenset()
    psychiatrist_notified: Urgency | None = None
    primary_care_notified: str | None = None
    called_at: Mapping[str, int] = field(default_factory=dict)
    terms: frozenset[str] = frozenset()

    def is_stale(self, decision: int) -> bool:
        """A newer decision came before it."""
        return decision < self.decision

    def calls_psychiatrist(self, urgency: Urgency, *, on_team: bool = False) -> bool:
        """When it is raised to what cannot wait, or they are on the team; an open alert goes on by itself."""
        if self.waits_for(PSYCHIATRIST, urgency):
            return False
        if urgency.cannot_wait and self._raised_to(urgency):
            return True
        return on_team and at_least_as_urgent(urgency, Urgency.URGENT) and self._owes_psychiatrist(urgency)

    def notifies_psychiatrist(self, urgency: Urgency) -> bool:
        """That they are on the team of what is less than urgent: without an alert, once."""
        return not at_least_as_urgent(urgency, Urgency.URGENT) and self._not_notified(urgency)

    def calls_clinician(self, urgency: Urgency) -> bool:
        """Each review is new work, unless an open one is at least as urgent."""
        return not self.waits_for(CLINICIAN, urgency)

    def calls_again(self, audience: str, revision: int) -> bool:
        """Whether this revision, which states it again, has not called them yet."""
        return revision > self.called_at.get(audience, 0)

    def waits_for(self, audience: str, urgency: Urgency) -> bool:
        """An alert of at least this urgency is open."""
        return self.open_at(audience, urgency) is not None

    def open_at(self, audience: str, urgency: Urgency) -> Open | None:
        """The most urgent open alert, if it is of at least this urgency."""
        return _most_urgent((o for o in self.open if o.audience == audience), urgency)

    def held_at(self, audience: str, urgency: Urgency) -> Held | None:
        """The most urgent alert that somebody holds, if it is of at least this urgency."""
        return _most_urgent((h for h in self.held if h.audience == audience), urgency)

    def heard(self, decision: int, urgency: Urgency) -> "Known":
        """Newly decided, so it is going on."""
        return replace(self, decision=decision, urgency=urgency, over=False)

    def ended(self, decision: int | None = None) -> "Known":
        """Should it go on after all, whoever was notified is notified anew."""
        return replace(
            self,
            decision=decision or self.decision,
            urgency=None,
            referrer_notified=None,
            over=True,
            psychiatrist_notified=None,
            primary_care_notified=None,
        )

    def informed(self, urgency: Urgency) -> "Known":
        return replace(self, referrer_notified=urgency)

    def asked_about(self, terms: Iterable[str]) -> "Known":
        return replace(self, terms=frozenset(terms))

    def called(
        self, audience: str, urgency: Urgency, *, notice: UUID | None = None, revision: int = 0
    ) -> "Known":
        opened = replace(self, open=self.open | {Open(audience, urgency, notice)})
        opened = opened.called_for(audience, revision)
        return opened.psychiatrist_informed(urgency) if audience == PSYCHIATRIST else opened

    def called_for(self, audience: str, revision: int) -> "Known":
        newest = max(revision, self.called_at.get(audience, 0))
        return replace(self, called_at={**self.called_at, audience: newest})

    def psychiatrist_informed(self, urgency: Urgency) -> "Known":
        return replace(self, psychiatrist_notified=urgency)

    def primary_care_informed(self, part: str | None) -> "Known":
        return replace(self, primary_care_notified=part)

    def reviewed(self) -> "Known":
        """A clinician decided, which settles what clinicians were asked."""
        return replace(
            self,
            open=frozenset(o for o in self.open if o.audience != CLINICIAN),
            held=frozenset(h for h in self.held if h.audience != CLINICIAN),
        )

    @property
    def waiting_audiences(self) -> tuple[str, ...]:
        """Who has not acknowledged an alert."""
        return tuple(sorted({o.audience for o in self.open}))

    def _raised_to(self, urgency: Urgency) -> bool:
        return self.urgency is None or not at_least_as_urgent(self.urgency, urgency)

    def _not_notified(self, urgency: Urgency) -> bool:
        notified = self.psychiatrist_notified
        return notified is None or not at_least_as_urgent(notified, urgency)

    def _owes_psychiatrist(self, urgency: Urgency) -> bool:
        return self._raised_to(urgency) or self._not_notified(urgency)


def _most_urgent(alerts: Iterable[_Alert], urgency: Urgency) -> _Alert | None:
    found = min(alerts, key=lambda alert: alert.urgency.rank, default=None)
    return found if found and at_least_as_urgent(found.urgency, urgency) else None
