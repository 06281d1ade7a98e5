"""Offers by HTTP, and what follows from them: appointments and the end of care."""

from collections.abc import Callable
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import TypeAdapter

from services.matching.api.offer_models import (
    AppointmentBody,
    ClosureBody,
    DeclineBody,
    Offers,
    OfferView,
    ReferralState,
    offer_view,
    referral_state,
)
from services.matching.api.refusals import refusals
from services.matching.db import offers as offer_store
from services.matching.handlers import offer_responses
from shared.db.postgres import Pool, transaction
from shared.web.auth import Caller, Role, allow
from shared.web.openapi import problems
from shared.web.paging import PageQuery

Responder = Annotated[Caller, Depends(allow(Role.COORDINATOR, Role.CLINICIAN, Role.CLINIC))]
Reader = Annotated[
    Caller, Depends(allow(Role.COORDINATOR, Role.CLINICIAN, Role.CLINIC, Role.ONCALL, Role.OPS))
]
StateQuery = Annotated[str, Query(pattern="^(open|accepted|declined|expired|released|ended)$")]

PLACE: Final[TypeAdapter[tuple[UUID]]] = TypeAdapter(tuple[UUID])


def routes(*, pool: Callable[[], Pool], wake: Callable[[], None]) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["offers"])

    @router.get("/offers", summary="Offers, oldest first; a clinic sees its own", responses=problems())
    async def offers(
        caller: Reader,
        page: PageQuery,
        state: StateQuery | None = None,
        therapist_id: UUID | None = None,
        referral_id: UUID | None = None,
    ) -> Offers:
        (after,) = page.place(PLACE) or (None,)
        async with transaction(pool()) as connection:
            rows = await offer_store.page(
                connection,
                after=after,
                state=state,
                therapist_id=therapist_id,
                clinic=caller.clinic,
                referral_id=referral_id,
                limit=page.limit + 1,
            )
        shown, next_cursor = page.cut(rows, lambda row: (row.id,))
        return Offers(offers=[offer_view(row) for row in shown], next_cursor=next_cursor)

    @router.post(
        "/offers/{offer_id}/acceptance",
        summary="Take the offer; safe to send twice",
        responses=problems(404, 409),
    )
    async def accept(offer_id: UUID, caller: Responder) -> OfferView:
        with refusals():
            async with transaction(pool()) as connection:
                offer = await offer_responses.accept(connection, offer_id, caller)
        wake()
        return offer_view(offer)

    @router.post(
        "/offers/{offer_id}/decline",
        summary="Decline it; the next best is asked",
        responses=problems(400, 404, 409, 413),
    )
    async def decline(offer_id: UUID, body: DeclineBody, caller: Responder) -> OfferView:
        """Also after acceptance, for a new match. This therapist is not asked again for this client."""
        with refusals():
            async with transaction(pool()) as connection:
                offer = await offer_responses.decline(connection, offer_id, body.reason, caller)
        wake()
        return offer_view(offer)

    @router.post(
        "/referrals/{referral_id}/appointment",
        summary="The first appointment, or its new time",
        responses=problems(400, 404, 409, 413),
    )
    async def book(referral_id: UUID, body: AppointmentBody, caller: Responder) -> ReferralState:
        with refusals():
            async with transaction(pool()) as connection:
                referral = await offer_responses.book(connection, referral_id, body.starts_at, caller)
        wake()
        return referral_state(referral)

    @router.post(
        "/referrals/{referral_id}/closure",
        summary="Care is over, or never begins; frees the place",
        responses=problems(400, 404, 413),
    )
    async def close(referral_id: UUID, body: ClosureBody, caller: Responder) -> ReferralState:
        with refusals():
            async with transaction(pool()) as connection:
                referral = await offer_responses.close(connection, referral_id, body.reason, caller)
        wake()
        return referral_state(referral)

    return router
