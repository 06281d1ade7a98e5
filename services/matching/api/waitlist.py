"""The waitlist and the reasons, by HTTP: why this therapist, or why nobody yet."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field, TypeAdapter

from services.matching.api.offers import Reader, offer_view
from services.matching.api.therapist_models import CodeWord
from services.matching.api.waitlist_models import (
    WHY,
    Asked,
    Explanation,
    Relaxation,
    RunnerUp,
    WaitingView,
    Waitlist,
)
from services.matching.db import offers, referrals, therapists
from services.matching.db.offers import Offer
from services.matching.db.profiles import client_of, therapist_of
from services.matching.db.referral_rows import Referral
from services.matching.domain.eligibility import reasons
from services.matching.domain.state import State
from shared.db.postgres import Connection, Pool, transaction
from shared.moments import StrictMoment
from shared.network import NOTHING_CHECKED, Network
from shared.web.auth import Caller, Role, allow
from shared.web.openapi import problems
from shared.web.problems import Fault, Problem, not_found

WaitlistReader = Annotated[Caller, Depends(allow(Role.COORDINATOR, Role.CLINICIAN, Role.CLINIC, Role.OPS))]


def routes(*, pool: Callable[[], Pool], network: Network = NOTHING_CHECKED) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["waitlist"])

    @router.get("/waitlist", summary="Who waits, and why; a clinic sees its own", responses=problems())
    async def waitlist(
        caller: WaitlistReader,
        region: CodeWord | None = None,
        reason: Annotated[
            str | None, Query(pattern="^(no_place|no_eligible_therapist|roster_empty)$")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        after: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    ) -> Waitlist:
        place = _place(after)
        region = region and network.canonical("regions", region)
        async with transaction(pool()) as connection:
            rows = await referrals.page(
                connection,
                clinic=caller.clinic,
                region=region,
                reason=reason,
                after=place,
                limit=limit + 1,
            )
        page = rows[:limit]
        return Waitlist(
            waiting=[_waiting(row) for row in page], next=_cursor(page[-1]) if len(rows) > limit else None
        )

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
            if referral is None or referral.needs is None or not _own(referral, caller):
                raise not_found("referral")
            made = await offers.of_referral(connection, referral_id)
            asked = await _asked(connection, referral, therapist_id) if therapist_id else None
            return await _explain(connection, referral, made, asked)

    return router


def _own(referral: Referral, caller: Caller) -> bool:
    return caller.clinic is None or caller.clinic == referral.clinic


async def _explain(
    connection: Connection, referral: Referral, made: list[Offer], asked: Asked | None
) -> Explanation:
    assert referral.urgency is not None
    current = next((offer for offer in reversed(made) if offer.holds_a_place), None)
    waits = referral.state in (State.WAITING, State.HELD)
    return Explanation(
        referral_id=referral.id,
        state=referral.state,
        urgency=referral.urgency,
        offer=offer_view(current) if current else None,
        eligible=current.eligible if current else referral.eligible,
        considered=current.considered if current else None,
        runners_up=await _runners_up(connection, current) if current else [],
        earlier_offers=[offer_view(offer) for offer in made if offer is not current],
        waiting=_waiting(referral) if waits else None,
        therapist=asked,
    )


async def _runners_up(connection: Connection, offer: Offer) -> list[RunnerUp]:
    rows = await therapists.load(connection, [UUID(other["therapist_id"]) for other in offer.runners_up])
    return [
        RunnerUp(
            therapist_id=other["therapist_id"],
            therapist_name=rows[UUID(other["therapist_id"])].name,
            score=other["score"],
            criteria=[
                {**criterion, "score": score}
                for criterion, score in zip(offer.criteria, other["scores"], strict=True)
            ],
        )
        for other in offer.runners_up
    ]


async def _asked(connection: Connection, referral: Referral, therapist_id: UUID) -> Asked:
    row = (await therapists.load(connection, [therapist_id])).get(therapist_id)
    if row is None:
        raise not_found("therapist")
    assert referral.needs is not None
    codes = [code for code in (referral.needs["area"], row.entry["area"]) if code]
    areas = await therapists.areas(connection, codes)
    client = client_of(referral.id, referral.region, referral.needs, referral.declined, areas)
    therapist = therapist_of(
        row.id, row.entry, version=row.version, places_taken=row.places_taken, areas=areas
    )
    found = reasons(client, therapist)
    return Asked(
        therapist_id=row.id,
        therapist_name=row.name,
        eligible=not found,
        limits=list(found),
        free_places=therapist.free,
    )


def _waiting(referral: Referral) -> WaitingView:
    assert referral.urgency is not None and referral.waiting_since is not None
    held = referral.state is State.HELD
    reason = "held_for_review" if held else referral.reason or "to_be_matched"
    relaxations = [Relaxation(**found) for found in referral.relaxations or []]
    return WaitingView(
        referral_id=referral.id,
        clinic=referral.clinic,
        region=referral.region,
        urgency=referral.urgency,
        priority=referral.level,
        waiting_since=referral.waiting_since,
        reason=reason,
        why=_why(reason, relaxations),
        eligible=referral.eligible or 0,
        relaxations=relaxations,
        offers_so_far=referral.attempt,
        tried_again_at=None if held else referral.try_at,
    )


def _why(reason: str, relaxations: list[Relaxation]) -> str:
    if not relaxations:
        return WHY[reason]
    best = relaxations[0]
    return f"{WHY[reason]} Giving up `{best.limit}` alone would open {best.opens}."


def _cursor(referral: Referral) -> str:
    assert referral.waiting_since is not None
    place = [referral.level, referral.waiting_since.isoformat(), str(referral.id)]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


Level = Annotated[int, Field(ge=0, le=6)]
Since = Annotated[
    StrictMoment, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))
]
_PLACE: Final[TypeAdapter[tuple[int, datetime, UUID]]] = TypeAdapter(tuple[Level, Since, UUID])


def _place(cursor: str | None) -> tuple[int, datetime, UUID] | None:
    if cursor is None:
        return None
    try:
        return _PLACE.validate_json(base64.urlsafe_b64decode(cursor))
    except ValueError:
        raise Problem(
            422,
            "invalid",
            "The page asked for is not one that was given out.",
            faults=[Fault("query.after", "Takes `next` of the page before.", "not_a_cursor")],
        ) from None
