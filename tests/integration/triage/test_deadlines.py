"""What nobody decided in time is said to be overdue, by one of several replicas, until somebody decides."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.triage.jobs.deadlines import DeadlineJob
from shared.db.postgres import Pool
from shared.events import ReviewOverdue, Topic
from shared.ids import now
from shared.vocabulary import Priority, Urgency
from tests.integration.triage.support import WORSE_SHEET, fact, said, take
from tests.integration.triage.test_claims import claim
from tests.integration.triage.test_reviews import ITEM9, Call, decide, keys, triage
from tests.support import NewDatabase
from tests.unit.triage.samples import POLICY

__all__ = ["keys", "triage"]  # fixtures

HOUR = timedelta(hours=1)
UNKNOWN: dict[str, Any] = {"requested_priority": Priority.UNKNOWN}


def deadline_job(pool: Pool, ahead: timedelta = timedelta()) -> DeadlineJob:
    """Of a replica whose clock is ahead by so much."""
    return DeadlineJob(policy=POLICY, pool=lambda: pool, committed=lambda: None, clock=lambda: now() + ahead)


async def overdue(pool: Pool, referral_id: UUID | None = None) -> list[ReviewOverdue]:
    return [each for each in await said(pool, referral_id) if isinstance(each, ReviewOverdue)]


async def test_nothing_is_said_before_its_time(database: NewDatabase) -> None:
    pool = await database("triage")
    await take(pool, fact(screenings=(ITEM9,)))
    assert not await deadline_job(pool, 23 * HOUR).act_on_reviews()
    assert await overdue(pool) == []


async def test_several_replicas_say_it_once(database: NewDatabase) -> None:
    pool = await database("triage")
    ids = [uuid4() for _ in range(30)]
    await take(pool, *(fact(i, screenings=(ITEM9,)) for i in ids))
    replicas = [deadline_job(pool, 25 * HOUR) for _ in range(8)]
    await asyncio.gather(*(replica.act_on_reviews() for replica in replicas for _ in range(3)))
    assert sorted(each.referral_id for each in await overdue(pool)) == sorted(ids)


async def test_it_is_said_of_the_newest_decision_and_is_none_itself(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = uuid4()
    await take(pool, fact(referral_id, express=True, screenings=(ITEM9,)))
    await claim(call, referral_id, by="dr-white")
    await pool.execute("update review set claimed_until = now() + interval '2 days'")
    await deadline_job(pool, 25 * HOUR).act_on_reviews()
    (spoken,) = await overdue(pool)
    assert (spoken.decision, spoken.urgency, spoken.held_by) == (2, Urgency.URGENT, "dr-white")
    assert spoken.topic is Topic.TRIAGE_EXPRESS
    assert len((await call("GET", f"/v1/referrals/{referral_id}/decisions")).json()["decisions"]) == 2
    await pool.execute("update review set claimed_until = now()")
    assert (await decide(call, referral_id, action="confirm", reason="assessed", seen=2)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "every"), [(UNKNOWN, 4 * HOUR), ({"red_flags": ("overdose",)}, timedelta(minutes=5))]
)
async def test_it_is_said_again_until_somebody_decides(
    triage: tuple[Pool, Call], changes: dict[str, Any], every: timedelta
) -> None:
    """A process that is started later goes on where another stopped: all of it is in the database."""
    pool, call = triage
    referral_id = uuid4()
    await take(pool, fact(referral_id, **changes))
    first = 25 * HOUR
    counts = []
    for ahead in (first, first + every - timedelta(minutes=1), first + every, first + 2 * every):
        await deadline_job(pool, ahead).act_on_reviews()
        counts.append(len(await overdue(pool)))
    assert counts == [1, 1, 2, 3]
    assert (await decide(call, referral_id, action="confirm", reason="assessed")).status_code == 200
    await deadline_job(pool, first + 9 * every).act_on_reviews()
    assert len(await overdue(pool)) == 3


async def test_a_change_neither_hushes_it_nor_says_it_at_once_again(database: NewDatabase) -> None:
    pool = await database("triage")
    referral_id = uuid4()
    await take(pool, fact(referral_id, **UNKNOWN))
    await deadline_job(pool, 25 * HOUR).act_on_reviews()
    amended = fact(referral_id, kind="amended", revision=2, payer="payer-2", **UNKNOWN)
    await take(pool, amended.model_copy(update={"occurred_at": now() + 25 * HOUR}))
    await deadline_job(pool, 25 * HOUR).act_on_reviews()
    assert len(await overdue(pool)) == 1
    await deadline_job(pool, 30 * HOUR).act_on_reviews()
    assert len(await overdue(pool)) == 2


async def test_what_became_more_urgent_is_due_by_its_new_time(database: NewDatabase) -> None:
    pool = await database("triage")
    referral_id = uuid4()
    await take(pool, fact(referral_id, **UNKNOWN))
    await take(pool, fact(referral_id, kind="screening", revision=2, screenings=(WORSE_SHEET,), **UNKNOWN))
    await deadline_job(pool, 5 * HOUR).act_on_reviews()
    (spoken,) = await overdue(pool)
    assert spoken.urgency is Urgency.VERY_URGENT


async def test_a_referral_that_somebody_works_on_is_left_to_the_next_turn(database: NewDatabase) -> None:
    pool = await database("triage")
    held, free = uuid4(), uuid4()
    await take(pool, fact(held, **UNKNOWN), fact(free, **UNKNOWN))
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select from referral where referral_id = $1 for update", held)
        await asyncio.wait_for(deadline_job(pool, 25 * HOUR).act_on_reviews(), 5)
    assert [each.referral_id for each in await overdue(pool)] == [free]
    await deadline_job(pool, 25 * HOUR).act_on_reviews()
    assert {each.referral_id for each in await overdue(pool)} == {held, free}


async def test_many_are_said_in_several_turns(database: NewDatabase) -> None:
    pool = await database("triage")
    await take(pool, *(fact(**UNKNOWN) for _ in range(130)))
    replica = deadline_job(pool, 25 * HOUR)
    assert [await replica.act_on_reviews(), await replica.act_on_reviews()] == [True, False]
    assert len(await overdue(pool)) == 130
    due: datetime = await pool.fetchval("select min(due_at) from review")
    assert due > now() + 25 * HOUR
