"""The reasons by HTTP: why this therapist, or why nobody yet."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.matching.api.explanation_models import Explanation, RunnerUp, TherapistLimits
from services.matching.api.offer_models import criteria_view, offer_view
from services.matching.api.offers import Reader
from services.matching.api.waitlist_models import waiting_view
from services.matching.db import offers, referrals, therapists
from services.matching.domain.eligibility import reasons
from services.matching.domain.offers import Offer
from services.matching.domain.referrals import TriagedReferral
from services.matching.domain.scoring import CriterionScore
from services.matching.domain.state import State
from shared.db.postgres import Connection, Pool, transaction
from shared.web.auth import Caller
from shared.web.openapi import problems
from shared.web.problems import not_found


def routes(*, pool: Callable[[], Pool]) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["waitlist"])

    @router.get(
        "/referrals/{referral_id}/explanation",
        summary="Why this therapist, or why nobody yet",
        responses=problems(404),
    )
    async def explanation(
        referral_id: UUID,
        caller: Reader,
        therapist_id: Annotated[UUID | None, Query(description="Why this one, or why not?")] = None,
    ) -> Explanation:
        async with transaction(pool()) as connection:
            referral = await referrals.read(connection, referral_id)
            if not isinstance(referral, TriagedReferral) or not _may_see(referral, caller):
                raise not_found("referral")
            made = await offers.of_referral(connection, referral_id)
            limits = await _limits(connection, referral, therapist_id) if therapist_id else None
            return await _explain(connection, referral, made, limits)

    return router


def _may_see(referral: TriagedReferral, caller: Caller) -> bool:
    return caller.clinic is None or caller.clinic == referral.clinic


async def _explain(
    connection: Connection, referral: TriagedReferral, made: list[Offer], limits: TherapistLimits | None
) -> Explanation:
    current = next((offer for offer in reversed(made) if offer.holds_a_place), None)
    waitlisted = referral.state in (State.WAITING, State.HELD)
    return Explanation(
        referral_id=referral.id,
        state=referral.state,
        urgency=referral.urgency,
        offer=offer_view(current) if current else None,
        eligible=current.eligible if current else referral.eligible,
        considered=current.considered if current else None,
        runners_up=await _runners_up(connection, current) if current else [],
        earlier_offers=[offer_view(offer) for offer in made if offer is not current],
        waiting=waiting_view(referral) if waitlisted else None,
        therapist=limits,
    )


async def _runners_up(connection: Connection, offer: Offer) -> list[RunnerUp]:
    rows = await therapists.load(connection, [other.therapist_id for other in offer.runners_up])
    return [
        RunnerUp(
            therapist_id=other.therapist_id,
            therapist_name=rows[other.therapist_id].entry.name,
            score=other.score,
            criteria=criteria_view(
                CriterionScore(each.criterion, score, each.weight)
                for each, score in zip(offer.criteria, other.scores, strict=True)
            ),
        )
        for other in offer.runners_up
    ]


async def _limits(connection: Connection, referral: TriagedReferral, therapist_id: UUID) -> TherapistLimits:
    row = (await therapists.load(connection, [therapist_id])).get(therapist_id)
    if row is None:
        raise not_found("therapist")
    codes = [code for code in (referral.needs.area, row.entry.area) if code]
    areas = await therapists.areas(connection, codes)
    therapist = row.profile(areas)
    found = reasons(referral.client(areas), therapist)
    return TherapistLimits(
        therapist_id=row.id,
        therapist_name=row.entry.name,
        eligible=not found,
        limits=list(found),
        free_places=therapist.free,
    )
