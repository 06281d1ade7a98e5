"""The history of decisions, and what clinicians made of the rules, by HTTP."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.triage.api import reviews
from services.triage.api.responses import Decisions, Overrides, RuleRate, problems
from services.triage.db import referrals, rule_stats
from services.triage.domain.policy import Policy
from shared.db.postgres import Pool, transaction
from shared.ids import now
from shared.moments import StrictMoment
from shared.web.auth import Caller, Role, allow
from shared.web.problems import not_found

Reader = Annotated[Caller, Depends(allow(Role.CLINICIAN, Role.COORDINATOR, Role.OPS))]


def routes(policy: Policy, *, pool: Callable[[], Pool], wake: Callable[[], None]) -> APIRouter:
    router = APIRouter()
    router.include_router(reviews.routes(policy, pool=pool, wake=wake))

    @router.get(
        "/v1/referrals/{referral_id}/decisions",
        tags=["decisions"],
        summary="What was decided, why, and by whom",
        responses=problems(404),
    )
    async def decisions(referral_id: UUID, _: Reader) -> Decisions:
        async with transaction(pool()) as connection:
            events = await referrals.history(connection, referral_id)
        if not events:
            raise not_found("referral")
        return Decisions(referral_id=referral_id, decisions=events)

    @router.get(
        "/v1/rules/overrides",
        tags=["decisions"],
        summary="What clinicians made of each rule",
        responses=problems(),
    )
    async def overrides(
        _: Reader,
        since: Annotated[
            StrictMoment | None, Query(description="Decisions since then; without it, of the last 90 days.")
        ] = None,
    ) -> Overrides:
        """A rule that is always lowered asks too much; one that is raised, too little."""
        from_ = since or now() - timedelta(days=90)
        async with transaction(pool()) as connection:
            rates = await rule_stats.rates(connection, since=from_)
        return Overrides(since=from_, rules=[RuleRate(**asdict(rate)) for rate in rates])

    return router
