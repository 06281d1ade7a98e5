"""From a fact to who is told, on a real database."""

import asyncio
from uuid import uuid4

from shared.db.postgres import transaction
from shared.events import AnyFact, NoticeAcknowledged, NoticeFailed
from shared.vocabulary import Urgency
from tests.integration.notify.support import (
    EXPRESS,
    MATCHING,
    ROUTINE,
    notified,
    on_duty,
    person,
    published,
    reasons,
    referral,
    take,
)
from tests.support import NewDatabase

E, V, U, S = Urgency.EMERGENCY, Urgency.VERY_URGENT, Urgency.URGENT, Urgency.SOON


async def test_an_emergency_calls_the_first_on_call_and_tells_clinic_and_primary_care(
    database: NewDatabase,
) -> None:
    pool = await database("notify")
    await person(pool, "psy-1", "psychiatrist", regions=["north"])
    await person(pool, "psy-2", "psychiatrist", regions=["north"])
    await person(pool, "desk", "clinic", clinic="clinic-1")
    await person(pool, "gp", "primary_care", clinic="clinic-1")
    await person(pool, "other", "clinic", clinic="clinic-2")
    await on_duty(pool, "psy-2", "psy-1")
    await take(pool, EXPRESS, referral().triaged(E))
    assert await notified(pool) == [("clinic", "desk"), ("primary_care", "gp"), ("psychiatrist", "psy-2")]
    lanes = await pool.fetch("select distinct audience, lane from notice order by audience")
    assert [tuple(row) for row in lanes] == [
        ("clinic", "routine"),
        ("primary_care", "routine"),
        ("psychiatrist", "express"),
    ], "an alert never waits behind what can wait"


async def test_a_fact_that_arrives_twice_is_told_once(database: NewDatabase) -> None:
    pool = await database("notify")
    await person(pool, "psy-1", "psychiatrist")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    fact = referral().triaged(E)
    await take(pool, EXPRESS, fact, fact)
    await take(pool, EXPRESS, fact)
    await asyncio.gather(*(take(pool, EXPRESS, fact) for _ in range(5)))
    assert len(await notified(pool)) == 2


async def test_a_fact_whose_claim_was_forgotten_is_still_told_once(database: NewDatabase) -> None:
    pool = await database("notify")
    await person(pool, "psy-1", "psychiatrist")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    about = referral()
    facts = (about.triaged(E), about.review(E, express=True))
    await take(pool, EXPRESS, *facts)
    before, said = await notified(pool), await published(pool)
    await pool.execute("delete from inbox; delete from referral")
    await take(pool, EXPRESS, *facts)
    assert (await notified(pool), await published(pool)) == (before, said)


async def test_the_same_urgency_again_calls_nobody_and_tells_nothing(database: NewDatabase) -> None:
    pool = await database("notify")
    await person(pool, "psy-1", "psychiatrist")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    about = referral()
    await take(pool, EXPRESS, about.triaged(V, 1), about.triaged(V, 2))
    await take(pool, EXPRESS, about.triaged(V, 3))
    assert await notified(pool) == [("clinic", "desk"), ("psychiatrist", "psy-1")]


async def test_a_raise_calls_again_and_tells_again(database: NewDatabase) -> None:
    pool = await database("notify")
    await person(pool, "psy-1", "psychiatrist")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    about = referral()
    await take(pool, EXPRESS, about.triaged(V, 1), about.triaged(E, 2))
    assert (await notified(pool)).count(("psychiatrist", "psy-1")) == 2
    assert (await notified(pool)).count(("clinic", "desk")) == 2


async def test_an_older_decision_that_comes_later_is_not_told(database: NewDatabase) -> None:
    pool = await database("notify")
    await person(pool, "psy-1", "psychiatrist")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    about = referral()
    await take(pool, EXPRESS, about.triaged(E, 2))
    await take(pool, ROUTINE, about.triaged(S, 1, express=False))
    assert await notified(pool) == [("clinic", "desk"), ("psychiatrist", "psy-1")]
    assert await pool.fetchval("select decision from referral") == 2


async def test_a_review_asks_a_clinician_and_a_clinicians_decision_answers_it(database: NewDatabase) -> None:
    pool = await database("notify")
    await person(pool, "clin-1", "clinician")
    await person(pool, "clin-2", "clinician")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    about = referral()
    await take(pool, ROUTINE, about.triaged(U, 1, express=False, in_review=True), about.review(U, 1))
    assert await notified(pool) == [("clinic", "desk"), ("clinician", "clin-1")]
    assert await pool.fetchval("select count(*) from unanswered_alert") == 1
    await take(pool, ROUTINE, about.triaged(S, 2, by="clin-7", express=False))
    assert await pool.fetchval("select count(*) from unanswered_alert") == 0
    [fact] = await published(pool)
    assert isinstance(fact, NoticeAcknowledged)
    assert (fact.by, fact.recipient, fact.audience) == ("clin-7", "clin-1", "clinician")
    states = await pool.fetch("select recipient, state from delivery where recipient like 'clin-%'")
    assert [tuple(row) for row in states] == [("clin-1", "ended")], "not asked any more"


async def test_a_review_said_first_does_not_swallow_the_outcome(database: NewDatabase) -> None:
    pool = await database("notify")
    for name, audience in (("psy-1", "psychiatrist"), ("clin-1", "clinician")):
        await person(pool, name, audience)
    await person(pool, "desk", "clinic", clinic="clinic-1")
    about = referral()
    await take(pool, EXPRESS, about.review(E, 1, express=True), about.triaged(E, 2, in_review=True))
    assert sorted(await notified(pool)) == [
        ("clinic", "desk"),
        ("clinician", "clin-1"),
        ("psychiatrist", "psy-1"),
    ]
    said = await pool.fetchval("select text from notice where audience = 'clinic'")
    assert "The psychiatrist on call is being called." in said


async def test_a_decision_answers_only_what_was_asked_before_it(database: NewDatabase) -> None:
    pool = await database("notify")
    await person(pool, "clin-1", "clinician")
    about = referral()
    await take(
        pool,
        ROUTINE,
        about.review(U, 1),
        about.triaged(S, 2, by="clin-7", express=False),
        about.review(U, 3),
    )
    open_now = await pool.fetch("select notice_id from unanswered_alert")
    assert len(open_now) == 1
    assert await pool.fetchval("select decision from notice where id = $1", open_now[0][0]) == 3


async def test_the_end_of_a_referral_does_not_silence_its_alert(database: NewDatabase) -> None:
    pool = await database("notify")
    await person(pool, "psy-1", "psychiatrist")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    withdrawn, closed = referral(), referral()
    await take(pool, EXPRESS, withdrawn.triaged(E), withdrawn.ended(), closed.triaged(E))
    await take(pool, MATCHING, closed.closed())
    assert await pool.fetchval("select count(*) from unanswered_alert") == 2
    titles = await pool.fetch("select title from notice where audience = 'psychiatrist' order by title")
    assert [row["title"] for row in titles] == [
        "A referral needs an immediate response",
        "A referral needs an immediate response",
        "A referral you were called for was closed",
        "A referral you were called for was withdrawn",
    ]


async def test_an_end_that_triage_and_matching_both_tell_of_is_told_once(database: NewDatabase) -> None:
    pool = await database("notify")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    withdrawn, returned, closed = referral(), referral(), referral()
    await take(pool, EXPRESS, withdrawn.ended())
    await take(pool, ROUTINE, returned.returned())
    await take(pool, MATCHING, withdrawn.closed(), returned.closed(), closed.closed())
    await take(pool, EXPRESS, closed.ended())
    assert len(await notified(pool)) == 3


async def test_a_referral_that_goes_on_after_its_end_can_end_again(database: NewDatabase) -> None:
    pool, about = await database("notify"), referral()
    await person(pool, "desk", "clinic", clinic="clinic-1")
    await take(pool, ROUTINE, about.returned(2), about.triaged(S, 3, express=False))
    await take(pool, MATCHING, about.closed())
    assert len(await notified(pool)) == 3


async def test_an_emergency_that_ended_and_is_one_again_calls_again(database: NewDatabase) -> None:
    pool, about = await database("notify"), referral()
    await person(pool, "psy-1", "psychiatrist")
    await person(pool, "psy-2", "psychiatrist")
    await on_duty(pool, "psy-1", "psy-2")
    await take(pool, EXPRESS, about.triaged(E, 1))
    await pool.execute("update alert set acknowledged_at = now(), acknowledged_by = 'psy-1'")
    await take(pool, EXPRESS, about.ended(2), about.triaged(E, 3))
    assert await pool.fetchval("select count(*) from unanswered_alert") == 1


async def test_the_end_of_a_referral_without_alerts_tells_only_the_referrer(database: NewDatabase) -> None:
    pool = await database("notify")
    await person(pool, "psy-1", "psychiatrist")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    await take(pool, MATCHING, referral().closed())
    assert await notified(pool) == [("clinic", "desk")]


async def test_an_offer_is_told_to_its_therapist(database: NewDatabase) -> None:
    pool = await database("notify")
    mine, other = uuid4(), uuid4()
    await person(pool, "thera-1", "therapist", therapist=mine)
    await person(pool, "thera-2", "therapist", therapist=other)
    await person(pool, "desk", "clinic", clinic="clinic-1")
    await take(pool, MATCHING, referral().proposed(mine))
    assert await notified(pool) == [("clinic", "desk"), ("therapist", "thera-1")]


async def test_a_therapist_is_told_that_an_offer_ended_unless_they_ended_it(database: NewDatabase) -> None:
    pool = await database("notify")
    mine = uuid4()
    await person(pool, "thera-1", "therapist", therapist=mine)
    await take(pool, MATCHING, referral(clinic="elsewhere").declined(mine, answered=True))
    assert [pair for pair in await notified(pool) if pair[0] == "therapist"] == []
    await take(pool, MATCHING, referral(clinic="elsewhere").declined(mine, answered=False))
    await take(pool, MATCHING, referral(clinic="elsewhere").closed(mine))
    about = referral(clinic="elsewhere")
    await take(pool, EXPRESS, about.ended())
    await take(pool, MATCHING, about.closed(mine))
    told_of = [pair for pair in await notified(pool) if pair[0] == "therapist"]
    assert told_of == [("therapist", "thera-1")] * 3


async def test_what_finds_nobody_is_kept_and_said_once(database: NewDatabase) -> None:
    pool = await database("notify")
    fact = referral().accepted()
    await take(pool, MATCHING, fact)
    await take(pool, MATCHING, fact)
    [failed] = await published(pool)
    assert isinstance(failed, NoticeFailed)
    assert (failed.reason, failed.audience, failed.recipient) == ("no_recipient", "clinic", "nobody")
    assert [row["state"] for row in await pool.fetch("select state from notice_seen")] == ["no_recipient"]


async def test_an_alert_that_finds_nobody_is_an_alarm_at_once(database: NewDatabase) -> None:
    pool = await database("notify")
    await person(pool, "ops-1", "ops")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    await take(pool, EXPRESS, referral().triaged(E))
    assert ("ops", "ops-1") in await notified(pool)
    assert await reasons(pool) == ["nobody_on_call"]
    assert await pool.fetchval("select past_ladder from unanswered_alert")


async def test_an_inactive_recipient_is_not_told(database: NewDatabase) -> None:
    pool = await database("notify")
    await person(pool, "psy-1", "psychiatrist", active=False)
    await person(pool, "psy-2", "psychiatrist")
    await take(pool, EXPRESS, referral().triaged(E))
    assert [r for audience, r in await notified(pool) if audience == "psychiatrist"] == ["psy-2"]


async def test_a_batch_of_three_hundred_tells_each_its_own(database: NewDatabase) -> None:
    pool = await database("notify")
    for n in range(10):
        await person(pool, f"desk-{n}", "clinic", clinic=f"clinic-{n}")
    facts = [referral(clinic=f"clinic-{n % 10}").triaged(S, express=False) for n in range(300)]
    await take(pool, ROUTINE, *facts)
    counts = await pool.fetch("select recipient, count(*) from delivery group by recipient")
    assert {row["recipient"]: row["count"] for row in counts} == {f"desk-{n}": 30 for n in range(10)}


async def test_what_is_stated_again_calls_again_and_once(database: NewDatabase) -> None:
    """Only after somebody has acknowledged; before that the alert that is open stands for both."""
    pool = await database("notify")
    await person(pool, "psy-1", "psychiatrist")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    about = referral()
    again = [about.triaged(E, decision).model_copy(update={"restates": E}) for decision in (2, 3)]
    await take(pool, EXPRESS, about.triaged(E))
    await take(pool, EXPRESS, again[0])
    assert await notified(pool) == [("clinic", "desk"), ("psychiatrist", "psy-1")]
    await pool.execute("update alert set acknowledged_at = now(), acknowledged_by = 'psy-1'")
    await take(pool, EXPRESS, again[1], again[1])
    await take(pool, EXPRESS, again[1], about.triaged(E, 4))
    assert await notified(pool) == [("clinic", "desk"), ("psychiatrist", "psy-1"), ("psychiatrist", "psy-1")]


async def test_a_batch_takes_as_many_statements_however_many_events_it_has(database: NewDatabase) -> None:
    pool = await database("notify")
    for name, audience in (("psy-1", "psychiatrist"), ("clin-1", "clinician"), ("coord-1", "coordinator")):
        await person(pool, name, audience)
    await person(pool, "ops-1", "ops")
    await person(pool, "desk", "clinic", clinic="clinic-1")

    async def statements(events: int) -> int:
        facts: list[AnyFact] = []
        for about in (referral() for _ in range(events)):
            facts += [about.triaged(E, 1), about.review(U, 2, express=True), about.triaged(S, 3, by="clin-1")]
        seen: list[str] = []
        async with transaction(pool) as connection:
            with connection.query_logger(lambda logged: seen.append(logged.query)):
                await EXPRESS(connection, facts)
        return len(seen)

    await statements(1)  # the first one asks for the types as well
    assert await statements(1) == await statements(20) <= 15
