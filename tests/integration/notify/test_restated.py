"""A crisis that is stated again is called again, whatever became of the first call; no fact calls twice."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.notify.db import acknowledgements
from services.notify.domain.crisis_outcomes import outcome_due_at
from shared.db.postgres import Pool, transaction
from shared.events import ReferralTriaged, ReviewRequested
from shared.ids import new_id, now
from shared.vocabulary import URGENCIES, Lane, Urgency
from tests.integration.notify.support import (
    CLOCKS,
    EXPRESS,
    ROUTINE,
    About,
    Clock,
    escalation,
    on_duty,
    person,
    reasons,
    referral,
    take,
)
from tests.support import NewDatabase

E, V, U, S = Urgency.EMERGENCY, Urgency.VERY_URGENT, Urgency.URGENT, Urgency.SOON


async def staffed(database: NewDatabase) -> Pool:
    pool = await database("notify")
    for n in (1, 2, 3):
        await person(pool, f"psy-{n}", "psychiatrist")
        await person(pool, f"clin-{n}", "clinician")
    await person(pool, "coord-1", "coordinator")
    await on_duty(pool, *(f"psy-{n}" for n in (1, 2, 3)), *(f"clin-{n}" for n in (1, 2, 3)))
    return pool


def again(about: About, urgency: Urgency, decision: int, **changes: object) -> ReferralTriaged:
    return about.triaged(urgency, decision).model_copy(update={"restates": urgency, **changes})


def review_again(about: About, urgency: Urgency, decision: int, **changes: object) -> ReviewRequested:
    fact = about.review(urgency, decision, express=urgency in (E, V))
    return fact.model_copy(update={"restates": urgency, **changes})


async def calls(pool: Pool, audience: str = "psychiatrist") -> list[str]:
    """Who was called, in order. What was called counts as delivered, so that it can be told again."""
    rows = await pool.fetch(
        "select recipient from delivery join notice on notice.id = notice_id "
        "where is_alert and audience = $1 order by notice.id, step, recipient",
        audience,
    )
    await pool.execute("update delivery set state = 'delivered'")
    return [row["recipient"] for row in rows]


async def acknowledge(pool: Pool, by: str, audience: str = "psychiatrist") -> None:
    async with transaction(pool) as connection:
        row = await connection.fetchrow(
            "select * from notice where is_alert and audience = $1 order by id desc limit 1", audience
        )
        assert row is not None
        due = outcome_due_at(
            audience, Urgency(row["urgency"]), row["respond_by"], CLOCKS, acknowledged_at=now()
        )
        acknowledged = await acknowledgements.acknowledge(
            connection, row["id"], by=by, urgencies=URGENCIES, now=now(), new_id=new_id, outcome_due_at=due
        )
        assert acknowledged
        await acknowledgements.supersede(connection, row["id"], urgencies=URGENCIES, now=now())
        await acknowledgements.end(connection, [one.notice.id for one in acknowledged])


async def resolve(pool: Pool) -> None:
    async with transaction(pool) as connection:
        [row] = await connection.fetch("select notice_id from crisis_without_outcome")
        await acknowledgements.record_outcome(connection, row[0], outcome="reached", by="psy-1", now=now())


async def open_count(pool: Pool) -> int:
    return int(await pool.fetchval("select count(*) from unanswered_alert"))


async def test_an_open_alert_goes_on_and_is_told_again_with_its_next_step(database: NewDatabase) -> None:
    pool, about = await staffed(database), referral()
    await take(pool, EXPRESS, about.triaged(E, 1))
    assert await calls(pool) == ["psy-1"]
    await take(pool, EXPRESS, again(about, E, 2))
    assert await calls(pool) == ["psy-1", "psy-1", "psy-2"]
    assert await open_count(pool) == 1, "its own ladder goes on"
    text = await pool.fetchval("select text from notice where is_alert")
    assert "It was stated again at" in text
    await take(pool, EXPRESS, again(about, E, 3))
    assert (await calls(pool))[3:] == ["psy-1", "psy-2", "psy-3"]
    await take(pool, EXPRESS, again(about, E, 4))
    assert await reasons(pool) == ["no_recipient", "nobody_answered"], "nobody is left to ask"


@pytest.mark.parametrize("urgency", [E, V])
async def test_whoever_holds_it_is_told_at_once_and_the_ladder_begins_again_after_a_step(
    database: NewDatabase, urgency: Urgency
) -> None:
    pool, about, clock = await staffed(database), referral(), Clock()
    await take(pool, EXPRESS, about.triaged(urgency, 1))
    await acknowledge(pool, "psy-2")
    await take(pool, EXPRESS, again(about, urgency, 2))
    assert await calls(pool) == ["psy-1", "psy-2"]
    clock.moves(4.9 if urgency is E else 14.9)
    await escalation(pool, clock).turn()
    assert len(await calls(pool)) == 2, "one step is theirs"
    clock.moves(0.2)
    await escalation(pool, clock).turn()
    assert await calls(pool) == ["psy-1", "psy-2", "psy-1"], "from the first person"


async def test_a_holder_who_acknowledges_in_time_ends_it(database: NewDatabase) -> None:
    pool, about, clock = await staffed(database), referral(), Clock()
    await take(pool, EXPRESS, about.triaged(E, 1))
    await acknowledge(pool, "psy-2")
    await take(pool, EXPRESS, again(about, E, 2))
    await acknowledge(pool, "psy-2")
    clock.moves(60)
    await escalation(pool, clock).turn()
    assert await calls(pool) == ["psy-1", "psy-2"]
    assert await pool.fetchval("select count(*) from crisis_without_outcome") == 1, "one outcome is expected"


async def test_a_holder_without_an_endpoint_is_not_waited_for(database: NewDatabase) -> None:
    pool, about = await staffed(database), referral()
    await take(pool, EXPRESS, about.triaged(E, 1))
    await acknowledge(pool, "somebody")
    await take(pool, EXPRESS, again(about, E, 2))
    assert await calls(pool) == ["psy-1", "psy-1"]


async def test_after_the_outcome_a_new_ladder_begins(database: NewDatabase) -> None:
    pool, about = await staffed(database), referral()
    await take(pool, EXPRESS, about.triaged(E, 1))
    await acknowledge(pool, "psy-2")
    await resolve(pool)
    await take(pool, EXPRESS, again(about, E, 2))
    assert await calls(pool) == ["psy-1", "psy-1"]
    assert await open_count(pool) == 1


async def test_very_urgent_again_after_an_emergency_was_resolved(database: NewDatabase) -> None:
    """The urgency stands where it was; what is stated by itself cannot wait."""
    pool, about = await staffed(database), referral()
    await take(pool, EXPRESS, about.triaged(E, 1))
    await acknowledge(pool, "psy-1")
    await resolve(pool)
    await take(pool, EXPRESS, again(about, E, 2, restates=V))
    assert await calls(pool) == ["psy-1", "psy-1"]


@pytest.mark.parametrize("restates", [None, U, S])
async def test_what_states_nothing_that_cannot_wait_calls_no_psychiatrist_again(
    database: NewDatabase, restates: Urgency | None
) -> None:
    pool, about = await staffed(database), referral()
    await take(pool, EXPRESS, about.triaged(E, 1))
    await acknowledge(pool, "psy-1")
    await take(pool, EXPRESS, again(about, E, 2, restates=restates))
    assert await calls(pool) == ["psy-1"]


def both(about: About, revision: int, decision: int) -> Sequence[ReviewRequested | ReferralTriaged]:
    """The two facts that triage publishes of one request."""
    review = review_again(about, E, decision, revision=revision)
    return review, again(about, E, decision + 1, revision=revision, in_review=True)


async def test_two_facts_of_one_request_call_each_audience_once(database: NewDatabase) -> None:
    pool, about = await staffed(database), referral()
    await take(pool, EXPRESS, *both(about, 1, 1))
    assert (await calls(pool), await calls(pool, "clinician")) == (["psy-1"], ["clin-1"])
    facts = both(about, 2, 3)
    await take(pool, EXPRESS, *facts)
    await take(pool, EXPRESS, *facts)
    assert await calls(pool) == ["psy-1", "psy-1", "psy-2"]
    assert await calls(pool, "clinician") == ["clin-1", "clin-1", "clin-2"]


async def test_in_separate_batches_and_after_an_acknowledgement_they_call_once(database: NewDatabase) -> None:
    pool, about = await staffed(database), referral()
    await take(pool, EXPRESS, *both(about, 1, 1))
    await acknowledge(pool, "psy-1")
    await acknowledge(pool, "clin-2", "clinician")
    for fact in both(about, 2, 3):
        await take(pool, EXPRESS, fact)
        await take(pool, EXPRESS, fact)
    assert await calls(pool) == ["psy-1", "psy-1"]
    assert await calls(pool, "clinician") == ["clin-1", "clin-2"], "who holds the review is called first"


async def test_a_review_stated_again_after_the_decision_begins_anew(database: NewDatabase) -> None:
    pool, about = await staffed(database), referral()
    await take(pool, ROUTINE, about.review(U, 1))
    await acknowledge(pool, "clin-2", "clinician")
    await take(pool, ROUTINE, about.triaged(U, 2, by="clin-2"))
    await take(pool, ROUTINE, review_again(about, U, 3))
    assert await calls(pool, "clinician") == ["clin-1", "clin-1"]


async def test_in_one_batch_with_its_first_call_it_is_told_again(database: NewDatabase) -> None:
    pool, about = await staffed(database), referral()
    await take(pool, EXPRESS, about.triaged(E, 1), again(about, E, 2))
    assert sorted(set(await calls(pool))) == ["psy-1", "psy-2"]
    assert await open_count(pool) == 1


async def test_a_review_restated_goes_up_by_its_own_clock_after_the_holders_step(
    database: NewDatabase,
) -> None:
    pool, about, clock = await staffed(database), referral(), Clock()
    await take(pool, ROUTINE, about.review(U, 1))
    await acknowledge(pool, "clin-2", "clinician")
    await take(pool, ROUTINE, review_again(about, U, 2))
    clock.ahead = timedelta(minutes=15.1)  # a quarter of the hour it has
    await escalation(pool, clock, Lane.ROUTINE).turn()
    assert await calls(pool, "clinician") == ["clin-1", "clin-2", "clin-1"]
