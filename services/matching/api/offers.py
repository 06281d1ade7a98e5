"""Offers by HTTP, and what follows from them: appointments and the end of care."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.matching.db import offers as offer_store
from services.matching.db.offers import Offer
from services.matching.db.referral_rows import Referral
from services.matching.domain.offer_rules import Closure, Decline
from services.matching.handlers import offer_responses
from shared.db.postgres import Pool, transaction
from shared.moments import StrictMoment
from shared.web.auth import Caller, Role, allow
from shared.web.openapi import problems

Answerer = Annotated[Caller, Depends(allow(Role.COORDINATOR, Role.CLINICIAN, Role.CLINIC))]
Reader = Annotated[
    Caller, Depends(allow(Role.COORDINATOR, Role.CLINICIAN, Role.CLINIC, Role.ONCALL, Role.OPS))
]
OfferState = Annotated[str, Query(pattern="^(open|accepted|declined|expired|released|ended)$")]


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
    """`next` asks for the following page, as `after`; null at the end."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"offers": [OFFER], "next": None}]})

    offers: list[OfferView]
    next: UUID | None


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


class Standing(BaseModel):
    """Where a referral stands with matching."""

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


def routes(*, pool: Callable[[], Pool], wake: Callable[[], None]) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["offers"])

    @router.get("/offers", summary="Offers, oldest first; a clinic sees its own", responses=problems())
    async def offers(
        caller: Reader,
        state: OfferState | None = None,
        therapist_id: UUID | None = None,
        referral_id: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        after: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
    ) -> Offers:
        async with transaction(pool()) as connection:
            rows = await offer_store.page(
                connection,
                after=after,
                state=state,
                therapist_id=therapist_id,
                clinic=caller.clinic,
                referral_id=referral_id,
                limit=limit + 1,
            )
        page = [offer_view(row) for row in rows[:limit]]
        return Offers(offers=page, next=page[-1].id if len(rows) > limit else None)

    @router.post(
        "/offers/{offer_id}/acceptance",
        summary="Take the offer; safe to send twice",
        responses=problems(404, 409),
    )
    async def accept(offer_id: UUID, caller: Answerer) -> OfferView:
        async with transaction(pool()) as connection:
            offer = await offer_responses.accept(connection, offer_id, caller)
        wake()
        return offer_view(offer)

    @router.post(
        "/offers/{offer_id}/decline",
        summary="Decline it; the next best is asked",
        responses=problems(400, 404, 409, 413),
    )
    async def decline(offer_id: UUID, body: DeclineBody, caller: Answerer) -> OfferView:
        """Also after acceptance, for a new match. This therapist is not asked again for this client."""
        async with transaction(pool()) as connection:
            offer = await offer_responses.decline(connection, offer_id, body.reason, caller)
        wake()
        return offer_view(offer)

    @router.post(
        "/referrals/{referral_id}/appointment",
        summary="The first appointment, or its new time",
        responses=problems(400, 404, 409, 413),
    )
    async def book(referral_id: UUID, body: AppointmentBody, caller: Answerer) -> Standing:
        async with transaction(pool()) as connection:
            referral = await offer_responses.book(connection, referral_id, body.starts_at, caller)
        wake()
        return standing(referral)

    @router.post(
        "/referrals/{referral_id}/closure",
        summary="Care is over, or never begins; frees the place",
        responses=problems(400, 404, 413),
    )
    async def close(referral_id: UUID, body: ClosureBody, caller: Answerer) -> Standing:
        async with transaction(pool()) as connection:
            referral = await offer_responses.close(connection, referral_id, body.reason, caller)
        wake()
        return standing(referral)

    return router


def offer_view(offer: Offer) -> OfferView:
    return OfferView(
        id=offer.id,
        referral_id=offer.referral_id,
        therapist_id=offer.therapist_id,
        therapist_name=offer.name,
        attempt=offer.attempt,
        state=offer.state,
        offered_at=offer.offered_at,
        expires_at=offer.expires_at,
        answered_at=offer.answered_at,
        reason=offer.reason,
        score=offer.score,
        criteria=offer.criteria,
    )


def standing(referral: Referral) -> Standing:
    return Standing(
        referral_id=referral.id,
        state=referral.state,
        urgency=referral.urgency or "",
        appointment_at=referral.appointment_at,
        closed_reason=referral.closed_reason,
    )
