"""Requests and responses of the API of offers, appointments and closures."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.matching.domain.offer_rules import Closure, Decline
from services.matching.domain.offers import Offer
from services.matching.domain.referrals import TriagedReferral
from services.matching.domain.scoring import CriterionScore
from shared.moments import StrictMoment

CRITERIA: Final[list[JsonValue]] = [
    {"criterion": "indication", "score": 1.0, "weight": 2.0},
    {"criterion": "language", "score": 1.0, "weight": 3.0},
    {"criterion": "therapist_gender", "score": 0.0, "weight": 2.0},
    {"criterion": "room", "score": 0.75, "weight": 0.1},
]
OFFER: Final[dict[str, JsonValue]] = {
    "id": "01a205f3-028a-77dc-b83a-501de5bfe901",
    "referral_id": "01a205f1-9f0c-7cc1-8f3e-0a4a5c1c9d11",
    "therapist_id": "0190163d-8694-739b-aea5-966c26f8ad91",
    "therapist_name": "R. Alvarez, LICSW",
    "attempt": 1,
    "state": "open",
    "offered_at": "2026-03-02T14:00:00Z",
    "expires_at": "2026-03-05T14:00:00Z",
    "answered_at": None,
    "reason": None,
    "score": 0.7148,
    "criteria": CRITERIA,
}


class OfferView(BaseModel):
    """An offer. `criteria` say how the therapist meets each wish, and what each weighed."""

    model_config = ConfigDict(json_schema_extra={"examples": [OFFER]})

    id: UUID
    referral_id: UUID
    therapist_id: UUID
    therapist_name: str
    attempt: int
    state: str
    offered_at: datetime
    expires_at: datetime
    answered_at: datetime | None
    reason: str | None
    score: float
    criteria: list[dict[str, Any]]


class Offers(BaseModel):
    """`next_cursor` asks for the following page, as `cursor`; null at the end."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"offers": [OFFER], "next_cursor": None}]})

    offers: list[OfferView]
    next_cursor: str | None


class DeclineBody(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "no_availability"}]})

    reason: Decline


class AppointmentBody(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"starts_at": "2026-03-03T17:00:00-05:00"}]}
    )

    starts_at: Annotated[
        StrictMoment,
        Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC)),
    ]


class ClosureBody(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "completed"}]})

    reason: Closure


class ReferralState(BaseModel):
    """The state of a referral in matching."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "referral_id": OFFER["referral_id"],
                    "state": "booked",
                    "urgency": "routine",
                    "appointment_at": "2026-03-03T22:00:00Z",
                    "closed_reason": None,
                }
            ]
        }
    )

    referral_id: UUID
    state: str
    urgency: str
    appointment_at: datetime | None
    closed_reason: str | None


def offer_view(offer: Offer) -> OfferView:
    return OfferView(
        id=offer.id,
        referral_id=offer.referral_id,
        therapist_id=offer.therapist_id,
        therapist_name=offer.therapist_name,
        attempt=offer.attempt,
        state=offer.state,
        offered_at=offer.offered_at,
        expires_at=offer.expires_at,
        answered_at=offer.answered_at,
        reason=offer.reason,
        score=offer.score,
        criteria=criteria_view(offer.criteria),
    )


def criteria_view(criteria: Iterable[CriterionScore]) -> list[dict[str, Any]]:
    return [asdict(each) for each in criteria]


def referral_state(referral: TriagedReferral) -> ReferralState:
    return ReferralState(
        referral_id=referral.id,
        state=referral.state,
        urgency=referral.urgency,
        appointment_at=referral.appointment_at,
        closed_reason=referral.closed_reason,
    )
