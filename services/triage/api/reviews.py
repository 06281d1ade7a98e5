"""The queue of reviews by HTTP: what waits, who has claimed what, and what a clinician decides."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import TypeAdapter

from services.triage.api.refusals import refusals_as_problems
from services.triage.api.requests import DecisionBody
from services.triage.api.responses import Claimed, Decided, Reviews, WaitingReview, problems
from services.triage.db import reviews as db
from services.triage.domain.policy import Policy
from services.triage.handlers import clinician
from shared.db.postgres import Pool, transaction
from shared.ids import now
from shared.moments import StrictMoment
from shared.web.auth import Caller, Role, allow
from shared.web.paging import PageQuery
from shared.web.problems import Problem

QueueReader = Annotated[Caller, Depends(allow(Role.CLINICIAN, Role.COORDINATOR))]
Decider = Annotated[Caller, Depends(allow(Role.CLINICIAN))]
Releaser = Annotated[Caller, Depends(allow(Role.CLINICIAN, Role.COORDINATOR))]

NAME: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$")
ASKED: Final = {"clinician": False, "referrer": True, "all": None}
PLACE: Final = TypeAdapter(tuple[StrictMoment, UUID])
START: Final = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


def routes(policy: Policy, *, pool: Callable[[], Pool], wake: Callable[[], None]) -> APIRouter:
    router = APIRouter(prefix="/v1/reviews", tags=["reviews"])

    @router.get("", summary="What waits for a clinician, the earliest deadline first", responses=problems())
    async def reviews(
        _: QueueReader,
        page: PageQuery,
        claimed: Annotated[bool | None, Query(description="Only what somebody holds, or nobody.")] = None,
        waits_for: Literal["clinician", "referrer", "all"] = "clinician",
    ) -> Reviews:
        moment, after = now(), page.place(PLACE) or START
        async with transaction(pool()) as connection:
            rows = await db.queue(
                connection,
                after=after,
                claimed=claimed,
                asked=ASKED[waits_for],
                now=moment,
                limit=page.limit + 1,
            )
        shown, next_cursor = page.cut(rows, lambda row: (row.review_by, row.referral_id))
        return Reviews(reviews=[WaitingReview.of(row, now=moment) for row in shown], next_cursor=next_cursor)

    @router.post("/{referral_id}/claim", summary="Take a review, for a while", responses=problems(404, 409))
    async def claim(referral_id: UUID, caller: Decider) -> Claimed:
        """Of several at once one gets it. Whoever holds it already holds it longer."""
        by = _name_of(caller)
        with refusals_as_problems():
            claim = await clinician.claim(pool(), referral_id, policy, by=by, now=now())
        return Claimed(referral_id=referral_id, claimed_by=by, claimed_until=claim.until)

    @router.delete(
        "/{referral_id}/claim", status_code=204, summary="Give it back", responses=problems(404, 409)
    )
    async def release(referral_id: UUID, caller: Releaser) -> None:
        """Whoever holds it; a coordinator for anybody. Nothing happens where nobody holds it."""
        by, for_anybody = _name_of(caller), caller.role is Role.COORDINATOR
        with refusals_as_problems():
            await clinician.release(pool(), referral_id, by=by, for_anybody=for_anybody, now=now())

    @router.post(
        "/{referral_id}/decision",
        summary="Confirm, raise, lower, ask the referrer or return",
        responses=problems(404, 409),
    )
    async def decide(referral_id: UUID, body: DecisionBody, caller: Decider) -> Decided:
        """A claim is not needed, but another's is respected. Deciding ends it. 409 `seen_is_old` also where
        the rules were changed since and raise it now."""
        command, by = body.command(), _name_of(caller)
        with refusals_as_problems():
            decided = await clinician.decide(
                pool(), referral_id, command, policy, by=by, now=now(), committed=wake
            )
        return Decided(
            referral_id=referral_id,
            decision=decided.decision,
            state=decided.status,
            urgency=decided.urgency,
            respond_by=decided.respond_by,
        )

    return router


def _name_of(caller: Caller) -> str:
    """A decision carries the clinician's code, not their address."""
    if not NAME.match(caller.subject):
        detail = "Decisions are signed with a code: your token's subject must be letters, digits, _ . or -."
        raise Problem(403, "subject_is_not_a_code", detail)
    return caller.subject
