"""The queue of reviews by HTTP: what waits, who has taken what, and what a clinician decides."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.triage.api.openapi import problems
from services.triage.api.requests import DecisionBody
from services.triage.api.responses import Claimed, Decided, Reviews, WaitingReview
from services.triage.db import referrals
from services.triage.db import reviews as review_store
from services.triage.domain import claim as claims
from services.triage.domain import clinician_decision
from services.triage.domain.claim import Claim
from services.triage.domain.policy import Policy
from services.triage.domain.redecision import unseen
from shared import moments
from shared.db import outbox
from shared.db.postgres import Pool, transaction
from shared.ids import now
from shared.web.auth import Caller, Role, allow
from shared.web.problems import Fault, Problem, not_found

QueueReader = Annotated[Caller, Depends(allow(Role.CLINICIAN, Role.COORDINATOR))]
Decider = Annotated[Caller, Depends(allow(Role.CLINICIAN))]
Releaser = Annotated[Caller, Depends(allow(Role.CLINICIAN, Role.COORDINATOR))]

NAME: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$")
ASKED: Final = {"clinician": False, "referrer": True, "all": None}
START: Final = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


def routes(policy: Policy, *, pool: Callable[[], Pool], wake: Callable[[], None]) -> APIRouter:
    router = APIRouter(prefix="/v1/reviews", tags=["reviews"])

    @router.get("", summary="What waits for a clinician, the earliest deadline first", responses=problems())
    async def reviews(
        _: QueueReader,
        claimed: Annotated[bool | None, Query(description="Only what somebody holds, or nobody.")] = None,
        waits_for: Literal["clinician", "referrer", "all"] = "clinician",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        after: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    ) -> Reviews:
        moment, place = now(), _place(after)
        async with transaction(pool()) as connection:
            rows = await review_store.waiting(
                connection, after=place, claimed=claimed, asked=ASKED[waits_for], now=moment, limit=limit + 1
            )
        page = [WaitingReview(**row, overdue=row["review_by"] < moment) for row in rows[:limit]]
        return Reviews(reviews=page, next=_name_of_place(page[-1]) if len(rows) > limit else None)

    @router.post("/{referral_id}/claim", summary="Take a review, for a while", responses=problems(404, 409))
    async def claim(referral_id: UUID, caller: Decider) -> Claimed:
        """Of several at once one gets it. Whoever holds it already holds it longer."""
        by, moment = _name_of(caller), now()
        async with transaction(pool()) as connection:
            await referrals.lock(connection, [referral_id])
            review = await review_store.one(connection, referral_id)
            if review is None:
                raise not_found("review")
            mine = Claim(by, claims.ends_at(review.urgency, policy, now=moment))
            if not await review_store.claim(connection, referral_id, mine, now=moment):
                claims.refuse_if_another(review.claim, by=by, now=moment)
        return Claimed(referral_id=referral_id, claimed_by=by, claimed_until=mine.until)

    @router.delete(
        "/{referral_id}/claim", status_code=204, summary="Give it back", responses=problems(404, 409)
    )
    async def release(referral_id: UUID, caller: Releaser) -> None:
        """Whoever holds it; a coordinator for anybody. Nothing happens where nobody holds it."""
        by, moment = _name_of(caller), now()
        async with transaction(pool()) as connection:
            await referrals.lock(connection, [referral_id])
            review = await review_store.one(connection, referral_id)
            if review is None:
                raise not_found("review")
            if caller.role is not Role.COORDINATOR:
                claims.refuse_if_another(review.claim, by=by, now=moment)
            await review_store.release(connection, referral_id)

    @router.post(
        "/{referral_id}/decision",
        summary="Confirm, raise, lower, ask the referrer or return",
        responses=problems(404, 409),
    )
    async def decide(referral_id: UUID, body: DecisionBody, caller: Decider) -> Decided:
        """A claim is not needed, but another's is respected. Deciding ends it. 409 `seen_is_old` also where
        the rules were changed since and raise it now."""
        word = body.word()
        by, moment = _name_of(caller), now()
        async with transaction(pool()) as connection:
            standing = await referrals.load_one(connection, referral_id)
            if standing is None:
                raise not_found("referral")
            clinician_decision.refuse_if_stale(word, standing)
            claims.refuse_if_another(standing.claim, by=by, now=moment)
            if found := clinician_decision.faults(word, standing, policy, now=moment):
                raise Problem(422, "invalid", "Nothing was decided. Every problem is listed.", faults=found)
            raised = unseen(standing, policy, now=moment)
            outcome = raised or clinician_decision.decide(word, standing, policy, by=by, now=moment)
            decided = outcome.standing
            await referrals.save(connection, [decided])
            await referrals.record(connection, [outcome])
            await outbox.publish(connection, outcome.said)
        wake()
        if raised:
            clinician_decision.refuse_if_stale(word, decided)
        return Decided(
            referral_id=referral_id,
            decision=decided.decision,
            state=decided.state,
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


def _place(after: str | None) -> tuple[datetime, UUID]:
    if after is None:
        return START
    try:
        at, _, referral_id = after.partition("~")
        return moments.moment(at), UUID(referral_id)
    except ValueError:
        fault = Fault("query.after", "Use `next` of the page before, unchanged.", "not_a_place")
        raise Problem(422, "invalid", "Nothing was read.", faults=[fault]) from None


def _name_of_place(review: WaitingReview) -> str:
    return f"{review.review_by.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%fZ')}~{review.referral_id}"
