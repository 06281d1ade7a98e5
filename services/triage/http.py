"""What people ask triage, and what a clinician tells it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.triage import clinician, store
from services.triage.rules import Policy
from services.triage.withholding import Why
from shared import outbox
from shared.auth import Caller, Role, allow
from shared.events import Code, FiredRule
from shared.ids import now
from shared.postgres import Pool, transaction
from shared.problems import Fault, Problem, not_found
from shared.vocabulary import Urgency

Reader = Annotated[Caller, Depends(allow(Role.CLINICIAN, Role.COORDINATOR, Role.OPS))]
QueueReader = Annotated[Caller, Depends(allow(Role.CLINICIAN, Role.COORDINATOR))]
Decider = Annotated[Caller, Depends(allow(Role.CLINICIAN))]

NAME: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$")
START: Final = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


class Decisions(BaseModel):
    """Everything triage has said about a referral, oldest first."""

    referral_id: UUID
    decisions: list[dict[str, Any]]


class WaitingReview(BaseModel):
    """`decision` is the number to send back as `seen`."""

    referral_id: UUID
    decision: int
    revision: int
    state: str
    urgency: Urgency
    region: str
    clinic: str
    express: bool
    respond_by: datetime
    review_by: datetime
    overdue: bool
    holds: bool
    reasons: list[FiredRule]
    opened_at: datetime


class Reviews(BaseModel):
    """`next` asks for the following page; null at the end."""

    reviews: list[WaitingReview]
    next: str | None


class DecisionBody(BaseModel):
    """What a clinician decides. Codes only: what should be said in words is said to the referrer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"action": "confirm", "seen": 2, "reason": "assessed"},
                {"action": "lower", "seen": 2, "urgency": "soon", "reason": "assessed_in_person"},
                {
                    "action": "return",
                    "seen": 2,
                    "reason": "other_service",
                    "next_step": "refer_to_named_service",
                    "next_step_days": 7,
                },
            ]
        },
    )

    action: clinician.Action
    seen: Annotated[int, Field(ge=1, description="Number of the newest decision you have read.")]
    reason: Code
    urgency: Urgency | None = None
    next_step: Code | None = None
    next_step_days: Annotated[int, Field(ge=1, le=90)] | None = None
    emergency_disclosure: Annotated[
        Why | None,
        Field(
            description="Share the substance-use part with this decision without consent (42 CFR 2.51). The "
            "decision says who, when and why; a later one withholds again."
        ),
    ] = None


class Decided(BaseModel):
    referral_id: UUID
    decision: int
    state: str
    urgency: Urgency | None
    respond_by: datetime | None


def routes(policy: Policy, *, pool: Callable[[], Pool], wake: Callable[[], None]) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["triage"])

    @router.get("/referrals/{referral_id}/decisions", summary="What was decided, why, and by whom")
    async def decisions(referral_id: UUID, _: Reader) -> Decisions:
        async with transaction(pool()) as connection:
            said = await store.history(connection, referral_id)
        if not said:
            raise not_found("referral")
        return Decisions(referral_id=referral_id, decisions=said)

    @router.get("/reviews", summary="What waits for a clinician, the earliest deadline first")
    async def reviews(
        _: QueueReader,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        after: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    ) -> Reviews:
        async with transaction(pool()) as connection:
            rows = await store.waiting(connection, after=_place(after), limit=limit + 1)
        moment = now()
        page = [WaitingReview(**row, overdue=row["review_by"] < moment) for row in rows[:limit]]
        return Reviews(reviews=page, next=_name_of_place(page[-1]) if len(rows) > limit else None)

    @router.post("/reviews/{referral_id}/decision", summary="Confirm, raise, lower or return")
    async def decide(referral_id: UUID, body: DecisionBody, caller: Decider) -> Decided:
        word = clinician.Word(**body.model_dump())
        by = _name_of(caller)
        async with transaction(pool()) as connection:
            standing = await store.load_one(connection, referral_id)
            if standing is None:
                raise not_found("referral")
            clinician.refuse_if_stale(word, standing)
            if found := clinician.faults(word, standing, policy):
                raise Problem(422, "invalid", "Nothing was decided. Every problem is listed.", faults=found)
            decided, said = clinician.decide(word, standing, policy, by=by, now=now())
            await store.save(connection, [decided])
            await store.record(connection, said)
            await outbox.announce(connection, said)
        wake()
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
        moment, _, referral_id = after.partition("~")
        at = datetime.fromisoformat(moment)
        return at.replace(tzinfo=at.tzinfo or UTC), UUID(referral_id)
    except ValueError:
        fault = Fault("query.after", "Use `next` of the page before, unchanged.", "not_a_place")
        raise Problem(422, "invalid", "Nothing was read.", faults=[fault]) from None


def _name_of_place(review: WaitingReview) -> str:
    return f"{review.review_by.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%fZ')}~{review.referral_id}"
