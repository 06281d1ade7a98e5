"""A review past its time is called about, up the ladder, until somebody answers or a clinician decides."""

from datetime import timedelta

from shared.db.postgres import Pool
from shared.events import NoticeAcknowledged, NoticeFailed
from shared.vocabulary import Lane, Urgency
from tests.integration.notify.support import (
    EXPRESS,
    ROUTINE,
    About,
    Clock,
    escalation,
    notified,
    on_duty,
    person,
    published,
    referral,
    take,
)
from tests.support import NewDatabase

S, V = Urgency.SOON, Urgency.VERY_URGENT
ACKNOWLEDGE = (
    "update alert set acknowledged_at = now(), acknowledged_by = 'clin-1' where acknowledged_at is null"
)


async def clinicians(pool: Pool) -> None:
    await person(pool, "clin-1", "clinician")
    await person(pool, "clin-2", "clinician")
    await person(pool, "coord", "coordinator")
    await person(pool, "ops", "ops")
    await on_duty(pool, "clin-1", "clin-2")


async def acknowledged_and_overdue(pool: Pool) -> About:
    """Somebody said that they have it, and did not decide."""
    about = referral()
    await take(pool, ROUTINE, about.review(S))
    await pool.execute(ACKNOWLEDGE)
    await take(pool, ROUTINE, about.overdue(S))
    return about


async def test_it_is_called_about_up_the_ladder_and_is_an_alarm_at_its_end(database: NewDatabase) -> None:
    pool = await database("notify")
    await clinicians(pool)
    await acknowledged_and_overdue(pool)
    clock = Clock()
    ladder = escalation(pool, clock, Lane.ROUTINE)
    assert await notified(pool) == [("clinician", "clin-1")] * 2, "the review, then that it is past its time"
    clock.moves(21)
    await ladder.turn()
    assert (await notified(pool))[-1] == ("clinician", "clin-2")
    clock.moves(21)
    await ladder.turn()
    assert {("coordinator", "coord"), ("ops", "ops")} <= set(await notified(pool))
    assert [type(fact) for fact in await published(pool)] == [NoticeFailed]


async def test_what_cannot_wait_is_called_about_faster_and_in_its_own_lane(database: NewDatabase) -> None:
    pool = await database("notify")
    await clinicians(pool)
    await take(pool, EXPRESS, referral().overdue(V, express=True))
    steps = [tuple(row) for row in await pool.fetch("select lane, step_length from alert")]
    assert steps == [("express", timedelta(minutes=1))], "its time is over"


async def test_an_alert_that_nobody_answered_goes_on_and_is_not_doubled(database: NewDatabase) -> None:
    pool = await database("notify")
    await clinicians(pool)
    about = referral()
    await take(pool, ROUTINE, about.review(S))
    await take(pool, ROUTINE, about.overdue(S), about.overdue(S))
    assert await notified(pool) == [("clinician", "clin-1")]


async def test_answered_again_without_a_decision_it_begins_anew(database: NewDatabase) -> None:
    pool = await database("notify")
    await clinicians(pool)
    about = await acknowledged_and_overdue(pool)
    await pool.execute(ACKNOWLEDGE)
    await take(pool, ROUTINE, about.overdue(S))
    assert len(await notified(pool)) == 3


async def test_a_decision_ends_it(database: NewDatabase) -> None:
    pool = await database("notify")
    await clinicians(pool)
    about = await acknowledged_and_overdue(pool)
    await take(pool, ROUTINE, about.triaged(S, 2, by="clin-2"))
    assert await pool.fetchval("select count(*) from unanswered_alert") == 0
    ended = [fact for fact in await published(pool) if isinstance(fact, NoticeAcknowledged)]
    assert [(fact.by, fact.about) for fact in ended] == [("clin-2", "ReviewOverdue")]


async def test_after_the_decision_an_old_word_of_it_is_not_told(database: NewDatabase) -> None:
    pool = await database("notify")
    await clinicians(pool)
    about = referral()
    await take(pool, ROUTINE, about.triaged(S, 2, by="clin-2"))
    await take(pool, ROUTINE, about.overdue(S))
    assert await notified(pool) == []


async def test_the_referrer_is_asked_and_reminded_and_the_clinicians_alert_is_answered(
    database: NewDatabase,
) -> None:
    pool = await database("notify")
    await clinicians(pool)
    await person(pool, "desk", "clinic", clinic="clinic-1")
    about = referral()
    await take(pool, ROUTINE, about.review(S))
    await take(pool, ROUTINE, about.asked(S, 2))
    assert await pool.fetchval("select count(*) from unanswered_alert") == 0
    await take(pool, ROUTINE, about.reminded(S, 2), about.reminded(S, 2))
    rows = await pool.fetch("select title, respond_by from notice where audience = 'clinic' order by id")
    assert [row["title"] for row in rows] == [
        "A clinician asks you about a referral",
        "Reminder: a clinician waits for your answer",
        "Reminder: a clinician waits for your answer",
    ]
    assert all(row["respond_by"] for row in rows)


async def test_without_an_answer_a_clinician_is_called_and_the_referrer_told(database: NewDatabase) -> None:
    pool = await database("notify")
    await clinicians(pool)
    await person(pool, "desk", "clinic", clinic="clinic-1")
    about = referral()
    await take(pool, ROUTINE, about.asked(S, 2), about.overdue(S, 2, unanswered=True))
    assert ("clinician", "clin-1") in await notified(pool)
    titles = [row["title"] for row in await pool.fetch("select title from notice where audience = 'clinic'")]
    assert "A clinician goes on without your answer" in titles


async def test_an_answer_is_not_reminded_of(database: NewDatabase) -> None:
    pool = await database("notify")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    about = referral()
    await take(pool, ROUTINE, about.asked(S, 2), about.triaged(S, 4), about.reminded(S, 2))
    titles = [row["title"] for row in await pool.fetch("select title from notice order by id")]
    assert not [title for title in titles if title.startswith("Reminder")]


async def test_who_has_waited_long_is_looked_at_and_the_referrer_asked_to_measure_again(
    database: NewDatabase,
) -> None:
    pool = await database("notify")
    await clinicians(pool)
    await person(pool, "desk", "clinic", clinic="clinic-1")
    long = referral().review(S).model_copy(update={"asks_again": True})
    await take(pool, ROUTINE, long)
    assert set(await notified(pool)) == {("clinician", "clin-1"), ("clinic", "desk")}
