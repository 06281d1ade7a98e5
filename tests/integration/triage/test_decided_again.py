"""The questions are asked again: worse answers raise at once, better ones and long waits go to a person."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest

from services.triage.handlers.matching import handle as handle_matching
from services.triage.jobs.deadlines import DeadlineJob
from shared.db.postgres import Pool, transaction
from shared.events import (
    MatchAccepted,
    MatchDeclined,
    ReferralClosed,
    ReferralTriaged,
    ReviewRequested,
    Screening,
)
from shared.ids import new_id, now
from shared.vocabulary import Urgency
from tests.integration.triage.support import WORSE_SHEET, fact, last, said, take, withdrawal
from tests.integration.triage.test_claims import queue
from tests.integration.triage.test_deadlines import deadline_job
from tests.integration.triage.test_reviews import ITEM9, Call, back, decide, keys, triage
from tests.support import NewDatabase
from tests.unit.triage.samples import CALM, DAY, POLICY

__all__ = ["keys", "triage"]  # fixtures

LATER = date(2026, 3, 20)
CALM_LATER = Screening(instrument="phq9", taken_on=LATER, answers=CALM)
SEVERE = Screening(instrument="phq9", taken_on=DAY, answers=(3, 3, 3, 3, 3, 3, 3, 2, 0))
MatchingSays = MatchAccepted | MatchDeclined | ReferralClosed
F = TypeVar("F", MatchAccepted, MatchDeclined, ReferralClosed)
ROUTINE_WAIT = POLICY.waiting[Urgency.ROUTINE].after


async def reasons(call: Call) -> list[str]:
    return [reason["rule"] for review in await queue(call) for reason in review["reasons"]]


class TestBetter:
    async def confirmed(self, pool: Pool, call: Call) -> UUID:
        """A positive safety answer that a clinician has looked at."""
        referral_id = uuid4()
        await take(pool, fact(referral_id, screenings=(ITEM9,)))
        answer = await decide(call, referral_id, action="confirm", reason="assessed")
        assert answer.status_code == 200, answer.text
        return referral_id

    async def test_better_answers_lower_nothing_and_are_shown(self, triage: tuple[Pool, Call]) -> None:
        pool, call = triage
        referral_id = await self.confirmed(pool, call)
        before = await last(pool, ReferralTriaged)
        await take(pool, fact(referral_id, kind="screening", revision=2, screenings=(ITEM9, CALM_LATER)))
        spoken = await last(pool, ReferralTriaged)
        assert (spoken.urgency, spoken.respond_by) == (before.urgency, before.respond_by)
        (review,) = await queue(call)
        (reason,) = review["reasons"]
        assert reason["rule"] == "better-answers"
        assert reason["datum"] == "newest answers=routine, before=urgent, stands=urgent"
        lower = {"action": "lower", "urgency": "routine", "reason": "assessed_by_phone"}
        assert (await decide(call, referral_id, **lower)).status_code == 200
        assert (await last(pool, ReferralTriaged)).urgency is Urgency.ROUTINE

    async def test_what_has_been_shown_is_not_shown_again(self, triage: tuple[Pool, Call]) -> None:
        pool, call = triage
        referral_id = await self.confirmed(pool, call)
        sheets = (ITEM9, CALM_LATER)
        await take(pool, fact(referral_id, kind="screening", revision=2, screenings=sheets))
        assert (await decide(call, referral_id, action="confirm", reason="agrees")).status_code == 200
        await take(pool, fact(referral_id, kind="amended", revision=3, screenings=sheets, payer="payer-2"))
        assert await queue(call) == []

    async def test_the_same_answers_again_are_not_better(self, triage: tuple[Pool, Call]) -> None:
        pool, call = triage
        referral_id = await self.confirmed(pool, call)
        again = ITEM9.model_copy(update={"taken_on": LATER})
        await take(pool, fact(referral_id, kind="screening", revision=2, screenings=(ITEM9, again)))
        assert "better-answers" not in await reasons(call)

    async def test_worse_answers_raise_at_once_and_go_express(self, triage: tuple[Pool, Call]) -> None:
        pool, call = triage
        referral_id = await self.confirmed(pool, call)
        worse = fact(referral_id, kind="screening", revision=2, screenings=(ITEM9, WORSE_SHEET))
        await take(pool, worse)
        spoken = await last(pool, ReferralTriaged)
        assert (spoken.urgency, spoken.express, spoken.in_review) == (Urgency.VERY_URGENT, True, True)
        assert "better-answers" not in await reasons(call)

    async def test_better_than_what_no_clinician_has_seen_is_shown_too(
        self, triage: tuple[Pool, Call]
    ) -> None:
        pool, call = triage
        referral_id = uuid4()
        await take(pool, fact(referral_id, screenings=(SEVERE,)))
        assert await queue(call) == [], "a total raises by itself"
        raised = await last(pool, ReferralTriaged)
        await take(pool, fact(referral_id, kind="screening", revision=2, screenings=(SEVERE, CALM_LATER)))
        assert await reasons(call) == ["better-answers"]
        assert (await last(pool, ReferralTriaged)).urgency is raised.urgency

    async def test_a_referral_that_comes_again_starts_anew(self, triage: tuple[Pool, Call]) -> None:
        pool, call = triage
        referral_id = uuid4()
        await take(pool, fact(referral_id, screenings=(ITEM9,)))
        await decide(call, referral_id, action="return", **back("advice_call"))
        await take(pool, fact(referral_id, kind="amended", revision=2, screenings=(CALM_LATER,)))
        assert await queue(call) == []


def matched(referral_id: UUID, kind: type[F], **more: Any) -> F:
    boring: dict[str, Any] = {
        "event_id": new_id(),
        "occurred_at": now(),
        "region": "north",
        "referral_id": referral_id,
        "revision": 1,
        "clinic": "clinic-1",
        "urgency": Urgency.ROUTINE,
    }
    return kind(**boring | more)


def accepted(referral_id: UUID) -> MatchingSays:
    return matched(referral_id, MatchAccepted, offer_id=new_id(), therapist_id=uuid4())


def declined(referral_id: UUID) -> MatchingSays:
    return matched(referral_id, MatchDeclined, offer_id=new_id(), therapist_id=uuid4(), reason="expired")


def closed(referral_id: UUID, reason: str) -> MatchingSays:
    return matched(referral_id, ReferralClosed, reason=reason)


async def hear(pool: Pool, *facts: MatchingSays) -> None:
    async with transaction(pool) as connection:
        await handle_matching(connection, facts)


async def looked_at(pool: Pool, ahead: timedelta = ROUTINE_WAIT) -> list[ReviewRequested]:
    """What waiting brings when it is so much later."""
    replica: DeadlineJob = deadline_job(pool, ahead + timedelta(minutes=1))
    await replica.ask_again()
    return [each for each in await said(pool) if isinstance(each, ReviewRequested) and each.asks_again]


class TestWaiting:
    async def test_who_waits_too_long_is_looked_at_and_measured_again(
        self, triage: tuple[Pool, Call]
    ) -> None:
        pool, call = triage
        referral_id = uuid4()
        await take(pool, fact(referral_id))
        assert await looked_at(pool, ROUTINE_WAIT - timedelta(days=1)) == []
        (asked,) = await looked_at(pool)
        assert (asked.decision, asked.urgency, asked.holds) == (2, Urgency.ROUTINE, False)
        (reason,) = asked.reasons
        assert reason.rule == "waited-routine"
        assert reason.datum == f"waiting since {datetime.now(UTC):%Y-%m-%d}"
        history = (await call("GET", f"/v1/referrals/{referral_id}/decisions")).json()["decisions"]
        assert [each["type"] for each in history] == ["ReferralTriaged", "ReviewRequested"]
        assert await pool.fetchval("select urgency from referral") == "routine", (
            "waiting alone raises nothing"
        )

    async def test_once_by_several_replicas_and_again_after_somebody_looked(
        self, triage: tuple[Pool, Call]
    ) -> None:
        pool, call = triage
        referral_id = uuid4()
        await take(pool, fact(referral_id), *(fact() for _ in range(9)))
        late = deadline_job(pool, ROUTINE_WAIT + timedelta(minutes=1))
        await asyncio.gather(*(late.ask_again() for _ in range(8)))
        assert len(await looked_at(pool)) == 10
        assert (await decide(call, referral_id, action="confirm", reason="agrees")).status_code == 200
        assert len(await looked_at(pool, ROUTINE_WAIT - timedelta(hours=1))) == 10
        assert len(await looked_at(pool, ROUTINE_WAIT)) == 11

    async def test_a_change_wins_no_time(self, database: NewDatabase) -> None:
        pool = await database("triage")
        referral_id = uuid4()
        await take(pool, fact(referral_id))
        await pool.execute("update referral set waiting_since = waiting_since - interval '27 days'")
        await take(pool, fact(referral_id, kind="amended", revision=2, payer="payer-2"))
        assert len(await looked_at(pool, timedelta(days=1))) == 1

    async def test_nobody_is_asked_about_whom_somebody_looks_at_or_who_has_gone(
        self, database: NewDatabase
    ) -> None:
        pool = await database("triage")
        gone = uuid4()
        await take(pool, fact(screenings=(ITEM9,)), fact(gone))
        await take(pool, withdrawal(gone))
        assert await looked_at(pool, timedelta(days=200)) == []

    @pytest.mark.parametrize("how", ["accepted", "closed"])
    async def test_whom_a_therapist_has_taken_on_does_not_wait(self, database: NewDatabase, how: str) -> None:
        pool = await database("triage")
        referral_id = uuid4()
        await take(pool, fact(referral_id))
        done = accepted(referral_id) if how == "accepted" else closed(referral_id, "completed")
        await hear(pool, done, done)
        await take(pool, fact(referral_id, kind="amended", revision=2, payer="payer-2"))
        assert await looked_at(pool) == []

    async def test_who_lost_their_place_waits_again(self, database: NewDatabase) -> None:
        pool = await database("triage")
        referral_id = uuid4()
        await take(pool, fact(referral_id))
        await hear(pool, accepted(referral_id))
        await hear(pool, declined(referral_id))
        assert len(await looked_at(pool)) == 1

    async def test_who_was_returned_and_came_again_waits_again(self, triage: tuple[Pool, Call]) -> None:
        """Whichever is heard first: that matching closed, or that it came again."""
        pool, call = triage
        referral_id = uuid4()
        await take(pool, fact(referral_id))
        await hear(pool, accepted(referral_id))
        await decide(call, referral_id, action="return", **back("advice_call"))
        assert await looked_at(pool) == []
        await take(pool, fact(referral_id, kind="amended", revision=2))
        await hear(pool, closed(referral_id, "returned"))
        assert len(await looked_at(pool)) == 1

    async def test_a_review_because_of_waiting_may_become_overdue(self, database: NewDatabase) -> None:
        pool = await database("triage")
        await take(pool, fact())
        await looked_at(pool)
        assert not await deadline_job(pool, ROUTINE_WAIT).act_on_reviews()
        due: datetime = await pool.fetchval("select due_at from review")
        assert due - now() > ROUTINE_WAIT
        await deadline_job(pool, ROUTINE_WAIT + timedelta(days=2)).act_on_reviews()
        assert (await said(pool))[-1].type == "ReviewOverdue"
