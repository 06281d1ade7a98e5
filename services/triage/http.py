"""What people ask triage: the history of decisions here, the queue of reviews in `http_reviews.py`."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from services.triage import http_reviews, store
from services.triage.answers import Decisions
from services.triage.openapi import problems
from services.triage.rules import Policy
from shared.auth import Caller, Role, allow
from shared.postgres import Pool, transaction
from shared.problems import not_found

Reader = Annotated[Caller, Depends(allow(Role.CLINICIAN, Role.COORDINATOR, Role.OPS))]


def routes(policy: Policy, *, pool: Callable[[], Pool], wake: Callable[[], None]) -> APIRouter:
    router = APIRouter()
    router.include_router(http_reviews.routes(policy, pool=pool, wake=wake))

    @router.get(
        "/v1/referrals/{referral_id}/decisions",
        tags=["decisions"],
        summary="What was decided, why, and by whom",
        responses=problems(404),
    )
    async def decisions(referral_id: UUID, _: Reader) -> Decisions:
        async with transaction(pool()) as connection:
            said = await store.history(connection, referral_id)
        if not said:
            raise not_found("referral")
        return Decisions(referral_id=referral_id, decisions=said)

    return router
