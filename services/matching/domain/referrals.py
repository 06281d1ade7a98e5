"""A referral as matching keeps it, and why it is waitlisted."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.matching.domain.client_needs import ClientNeeds, client_of
from services.matching.domain.eligibility_columns import Relaxation
from services.matching.domain.offer_rules import level, waited
from services.matching.domain.profiles import Client, Point
from services.matching.domain.state import ClosedBy, MatchingState, State
from shared.vocabulary import Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """Until it has been triaged, it is stored only so that no older decision is acted on."""

    id: UUID
    clinic: str
    region: str
    revision: int
    decision: int
    state: State
    held: bool = False
    closed_by: ClosedBy | None = None
    closed_reason: str | None = None
    express: bool = False
    urgency: Urgency | None = None
    waiting_since: datetime | None = None
    target: timedelta | None = None
    needs: ClientNeeds | None = None
    declined: tuple[UUID, ...] = ()
    level: int = 0
    try_at: datetime | None = None
    reason: str | None = None
    eligible: int | None = None
    relaxations: tuple[Relaxation, ...] = ()
    attempt: int = 0
    appointment_at: datetime | None = None
    traceparent: str | None = None

    @property
    def matching_state(self) -> MatchingState:
        return MatchingState(self.revision, self.decision, self.state, self.held, self.closed_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriagedReferral(Referral):
    """It has been triaged: matching knows what is needed, and how soon."""

    urgency: Urgency
    waiting_since: datetime
    target: timedelta
    needs: ClientNeeds

    def client(self, areas: Mapping[str, Point]) -> Client:
        return client_of(self.id, self.region, self.needs, self.declined, areas)

    def targets_waited(self, now: datetime) -> float:
        return waited(self.waiting_since, now, self.target)

    def level_at(self, now: datetime) -> int:
        return level(self.urgency, self.targets_waited(now))


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistEntry:
    """Nobody yet, and why. `relaxations` are worked out when the reason is new."""

    id: UUID
    level: int
    reason: str
    eligible: int
    relaxations: tuple[Relaxation, ...]


_FIELDS: Final = tuple(field.name for field in fields(Referral))


def as_triaged(referral: Referral, **values: Any) -> TriagedReferral:
    return TriagedReferral(**{name: getattr(referral, name) for name in _FIELDS} | values)
