"""Offers. Every open or accepted offer holds one place of its therapist."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.matching.domain.scoring import CriterionScore


class OfferState(StrEnum):
    """`released`: taken back before it was accepted; `ended`: over after it was accepted."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    RELEASED = "released"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """Who else was considered. `scores` are in the order of the criteria of the offer."""

    therapist_id: UUID
    score: float
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """`criteria` and `runners_up` are what was weighed when it was made. What is read of the therapist
    depends on the query."""

    id: UUID
    referral_id: UUID
    therapist_id: UUID
    attempt: int
    offered_at: datetime
    expires_at: datetime
    score: float
    criteria: tuple[CriterionScore, ...]
    runners_up: tuple[RunnerUp, ...]
    eligible: int
    considered: int
    state: OfferState = OfferState.OPEN
    answered_at: datetime | None = None
    reason: str | None = None
    therapist_name: str = ""
    therapist_active: bool = True

    @property
    def holds_a_place(self) -> bool:
        return self.state in (OfferState.OPEN, OfferState.ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferOutcome:
    """What becomes of an offer."""

    offer: Offer
    state: OfferState
    reason: str | None = None

    def offer_at(self, now: datetime) -> Offer:
        """The offer as it is then."""
        return replace(self.offer, state=self.state, answered_at=now, reason=self.reason)


def end(offer: Offer, reason: str) -> OfferOutcome:
    """An accepted offer ends; one that is still open is released."""
    state = OfferState.ENDED if offer.state is OfferState.ACCEPTED else OfferState.RELEASED
    return OfferOutcome(offer=offer, state=state, reason=reason)
