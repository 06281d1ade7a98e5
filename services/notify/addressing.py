"""Who is meant: the recipients of an audience, and who of them is on call."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """`lines` has the host of each channel, in the recipient's own order. No regions: all regions."""

    id: str
    audience: str
    lines: tuple[str, ...]
    regions: frozenset[str] = frozenset()
    clinic: str | None = None
    therapist: UUID | None = None

    def covers(self, region: str) -> bool:
        return not self.regions or region in self.regions


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A shift of the rota, or, without times, a place in its fallback list."""

    region: str
    recipient: str
    place: int
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def covers(self, moment: datetime) -> bool:
        if self.starts_at is None or self.ends_at is None:
            return True
        return self.starts_at <= moment < self.ends_at

    @property
    def is_fallback(self) -> bool:
        return self.starts_at is None


@dataclass(frozen=True)
class Directory:
    """The active recipients that a batch may need, and the rota of its regions."""

    recipients: Sequence[Recipient]
    rota: Sequence[Duty] = ()
    _by_audience: dict[tuple[str, object], list[Recipient]] = field(
        default_factory=lambda: defaultdict(list), init=False, repr=False
    )

    def __post_init__(self) -> None:
        for recipient in sorted(self.recipients, key=lambda r: r.id):
            whose = recipient.clinic or recipient.therapist
            self._by_audience[recipient.audience, whose].append(recipient)

    def of_clinic(self, audience: str, clinic: str) -> list[Recipient]:
        return self._by_audience.get((audience, clinic), [])

    def of_therapist(self, therapist: UUID, region: str) -> list[Recipient]:
        """The therapist's own endpoints; without one, the desk that stands in for therapists there."""
        own = self._by_audience.get(("therapist", therapist), [])
        return own or self.covering("therapist", region)

    def covering(self, audience: str, region: str) -> list[Recipient]:
        """Those who are there for a whole region, in the order of their ids."""
        return [r for r in self._by_audience.get((audience, None), []) if r.covers(region)]

    def on_call(self, audience: str, region: str, now: datetime) -> list[Recipient]:
        """The shifts that cover `now`, then the fallback list.

        A region that keeps no rota for this audience has everyone who covers it on call; a rota with a
        hole in it has nobody.
        """
        people = {r.id: r for r in self._by_audience.get((audience, None), [])}
        duties = [d for d in self.rota if d.region == region and d.recipient in people]
        if not duties:
            return self.covering(audience, region)
        present = sorted((d for d in duties if d.covers(now)), key=lambda d: (d.is_fallback, d.place))
        return [people[recipient] for recipient in _each_once(d.recipient for d in present)]


def _each_once(ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(ids))
