"""Who is meant: the recipients of an audience, and who of them is on call."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.vocabulary import NETWORK_ROTA

DESKS: Final = ("psychiatrist", "clinician", "coordinator", "ops")
"""Audiences that the network has somebody for where a region has nobody of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """`hosts` has the host of each channel, in the recipient's own order. No regions: all regions."""

    id: str
    audience: str
    hosts: tuple[str, ...]
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

    def desk(self, audience: str, region: str) -> list[Recipient]:
        """Those who are there for a region; where there are none, all of the audience."""
        return self.covering(audience, region) or self._by_audience.get((audience, None), [])

    def without_anyone(self, regions: Iterable[str]) -> set[str]:
        """The audiences that have nobody for one of these regions."""
        return {audience for region in regions for audience in DESKS if not self.covering(audience, region)}

    def on_call(self, audience: str, region: str, now: datetime) -> list[Recipient]:
        """The region's own on-call; where it has nobody, the network's."""
        return self.on_call_of_region(audience, region, now) or self._on_call_of_network(
            audience, region, now
        )

    def on_call_of_region(self, audience: str, region: str, now: datetime) -> list[Recipient]:
        """The shifts that cover `now`, then the fallback list. A region that keeps no rota for this audience
        has everyone who covers it on call; a rota with a hole in it has nobody."""
        if self._keeps_rota(audience, region):
            return self._present(audience, region, now)
        return self.covering(audience, region)

    def _on_call_of_network(self, audience: str, region: str, now: datetime) -> list[Recipient]:
        """The rota of the network, else those who cover every region, else everyone. Where a rota is kept
        and has a hole in it, those of other regions are not on call: the alarm reaches them all at once."""
        if present := self._present(audience, NETWORK_ROTA, now):
            return present
        off_duty = {d.recipient for d in self.rota if d.region in (region, NETWORK_ROTA)}
        everywhere = [r for r in self.covering(audience, NETWORK_ROTA) if r.id not in off_duty]
        if everywhere or any(self._keeps_rota(audience, each) for each in (region, NETWORK_ROTA)):
            return everywhere
        return [r for r in self._by_audience.get((audience, None), []) if r.id not in off_duty]

    def _keeps_rota(self, audience: str, region: str) -> bool:
        people = {r.id for r in self._by_audience.get((audience, None), [])}
        return any(d.region == region and d.recipient in people for d in self.rota)

    def _present(self, audience: str, region: str, now: datetime) -> list[Recipient]:
        people = {r.id: r for r in self._by_audience.get((audience, None), [])}
        duties = [d for d in self.rota if d.region == region and d.recipient in people]
        present = sorted((d for d in duties if d.covers(now)), key=lambda d: (d.is_fallback, d.place))
        return [people[recipient] for recipient in _each_once(d.recipient for d in present)]


def _each_once(ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(ids))
