"""An alert on its ladder, on a real database, with a clock that the test moves."""

import asyncio
from datetime import timedelta

from services.notify import outgoing_events
from services.notify.db import acknowledgements
from shared.db import outbox
from shared.db.postgres import Pool, transaction
from shared.events import NoticeAcknowledged
from shared.ids import new_id, now
from shared.vocabulary import URGENCIES, Lane, Urgency
from tests.integration.notify.support import (
    EXPRESS,
    ROUTINE,
    Clock,
    escalation,
    on_duty,
    person,
    published,
    reasons,
    referral,
    take,
)
from tests.support import NewDatabase

E, V, U = Urgency.EMERGENCY, Urgency.VERY_URGENT, Urgency.URGENT


async def calls(pool: Pool) -> list[tuple[str, int, int]]:
    """Recipient, channel and step of everything told to psychiatrists and clinicians."""
    rows = await pool.fetch(
        "select recipient, channel, step from delivery join notice on notice.id = notice_id "
        "where is_alert order by step, recipient, channel"
    )
    return [tuple(row) for row in rows]


async def staffed(database: NewDatabase) -> Pool:
    pool = await database("notify")
    await person(pool, "psy-1", "psychiatrist", "http://a.example/", "http://b.example/")
    await person(pool, "psy-2", "psychiatrist")
    await person(pool, "psy-9", "psychiatrist")
    await person(pool, "coord-1", "coordinator")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    await person(pool, "ops-1", "ops")
    await on_duty(pool, "psy-1", "psy-2")
    return pool


async def acknowledge(pool: Pool, by: str = "psy-1") -> int:
    """The newest alert. Returns how many alerts that answers."""
    async with transaction(pool) as connection:
        notice = await connection.fetchval("select notice_id from alert order by notice_id desc limit 1")
        acknowledged = await acknowledgements.acknowledge(
            connection, notice, by=by, urgencies=URGENCIES, now=now(), new_id=new_id
        )
        await acknowledgements.end(connection, [one.notice.id for one in acknowledged])
        await outbox.publish(connection, outgoing_events.acknowledged(acknowledged, now=now()))
    return len(acknowledged)


async def test_silence_goes_up_to_everyone_and_an_alarm_that_repeats(database: NewDatabase) -> None:
    pool, clock = await staffed(database), Clock()
    ladder = escalation(pool, clock)
    await take(pool, EXPRESS, referral().triaged(E))
    assert await calls(pool) == [("psy-1", 0, 1)]

    clock.moves(4.9)
    await ladder.turn()
    assert len(await calls(pool)) == 1, "not before its time"

    clock.moves(0.2)
    await ladder.turn()
    clock.moves(5)
    await ladder.turn()
    assert await calls(pool) == [("psy-1", 0, 1), ("psy-2", 0, 2), ("psy-1", 1, 3)]
    assert await reasons(pool) == []
    assert not await pool.fetchval("select past_ladder from unanswered_alert")

    await pool.execute("update delivery set state = 'delivered'")
    clock.moves(5)
    await ladder.turn()
    everyone = [("psy-1", 0, 4), ("psy-1", 1, 4), ("psy-2", 0, 4), ("psy-9", 0, 4)]
    assert (await calls(pool))[3:] == everyone
    assert await reasons(pool) == ["nobody_answered"]
    assert await pool.fetchval("select past_ladder from unanswered_alert")
    alarms = await pool.fetch("select audience, lane from notice where answers is not null order by 1")
    assert [tuple(row) for row in alarms] == [("coordinator", "express"), ("ops", "express")]

    await pool.execute("update delivery set state = 'delivered'")
    clock.moves(5)
    await ladder.turn()
    assert (await calls(pool))[7:] == [(who, channel, 5) for who, channel, _ in everyone]
    assert await reasons(pool) == ["nobody_answered"], "announced once, told again and again"
    notified = await pool.fetchval("select count(*) from delivery where recipient in ('ops-1', 'coord-1')")
    assert notified == 4


async def test_an_alarm_does_not_pile_up_on_endpoints_that_are_away(database: NewDatabase) -> None:
    pool, clock = await staffed(database), Clock()
    ladder = escalation(pool, clock)
    await take(pool, EXPRESS, referral().triaged(E))
    for _ in range(100):
        clock.moves(5)
        await ladder.turn()
    assert await pool.fetchval("select alarms from alert") > 90
    waiting = await pool.fetch(
        "select notice_id, recipient, channel, count(*) from delivery where state = 'waiting' "
        "group by 1, 2, 3"
    )
    assert {row["count"] for row in waiting} == {1}


async def test_an_answer_stops_the_ladder_and_what_is_still_to_be_sent(database: NewDatabase) -> None:
    pool, clock = await staffed(database), Clock()
    ladder = escalation(pool, clock)
    await take(pool, EXPRESS, referral().triaged(E))
    for _ in range(4):
        clock.moves(5)
        await ladder.turn()
    before = await calls(pool)
    assert await acknowledge(pool, "psy-2") == 1
    clock.moves(600)
    await ladder.turn()
    assert await calls(pool) == before
    assert not await pool.fetchval(
        "select count(*) from delivery join notice on notice.id = notice_id "
        "where state = 'waiting' and (is_alert or answers is not null)"
    )
    assert await pool.fetchval("select count(*) from unanswered_alert") == 0
    fact = (await published(pool))[-1]
    assert isinstance(fact, NoticeAcknowledged) and (fact.by, fact.recipient) == ("psy-2", "psy-2")


async def test_a_second_answer_changes_nothing_and_is_not_announced(database: NewDatabase) -> None:
    pool = await staffed(database)
    await take(pool, EXPRESS, referral().triaged(E))
    answered = await asyncio.gather(*(acknowledge(pool, f"psy-{n}") for n in range(8)))
    assert sorted(answered) == [0] * 7 + [1]
    assert [fact.type for fact in await published(pool)].count("NoticeAcknowledged") == 1


async def test_who_answers_the_more_urgent_alert_answers_the_less_urgent_before_it(
    database: NewDatabase,
) -> None:
    pool = await staffed(database)
    about, other = referral(), referral()
    await take(pool, EXPRESS, other.triaged(V), about.triaged(V, 1), about.triaged(E, 2))
    assert await acknowledge(pool) == 2
    assert [row[0] for row in await pool.fetch("select referral_id from unanswered_alert")] == [
        other.referral
    ]


async def test_an_endpoint_that_fails_is_not_waited_for(database: NewDatabase) -> None:
    pool, clock = await staffed(database), Clock()
    await take(pool, EXPRESS, referral().triaged(E))
    await pool.execute("update delivery set failing = true where recipient = 'psy-1'")
    await pool.execute("update alert set next_step_at = now()")
    await escalation(pool, clock).turn()
    assert await calls(pool) == [("psy-1", 0, 1), ("psy-2", 0, 2)]


async def test_a_change_of_the_rota_during_a_ladder_counts(database: NewDatabase) -> None:
    pool, clock = await staffed(database), Clock()
    await take(pool, EXPRESS, referral().triaged(E))
    await on_duty(pool, "psy-9")
    clock.moves(5.1)
    await escalation(pool, clock).turn()
    assert (await calls(pool))[-1] == ("psy-9", 0, 2)


async def test_a_review_goes_up_by_a_share_of_its_time_and_is_an_alarm_at_its_end(
    database: NewDatabase,
) -> None:
    pool, clock = await database("notify"), Clock()
    for name in ("clin-1", "clin-2", "clin-3", "clin-4", "clin-5"):
        await person(pool, name, "clinician")
    ladder = escalation(pool, clock, Lane.ROUTINE)
    await take(pool, ROUTINE, referral().review(U))  # an hour
    for minutes in (14, 1.1, 15, 15):
        clock.moves(minutes)
        await ladder.turn()
    assert [who for who, *_ in await calls(pool)] == ["clin-1", "clin-2", "clin-3", "clin-4"]
    assert await reasons(pool) == []
    clock.moves(15)
    await ladder.turn()
    assert await reasons(pool) == ["nobody_answered"], "the hour is over, whoever is left to ask"
    assert ("clin-5", 0, 5) in await calls(pool)


async def test_two_replicas_take_each_step_once(database: NewDatabase) -> None:
    pool, clock = await staffed(database), Clock()
    await take(pool, EXPRESS, *(referral().triaged(E) for _ in range(40)))
    clock.moves(5.1)
    await asyncio.gather(*(escalation(pool, clock).turn() for _ in range(6)))
    await escalation(pool, clock).turn()
    steps = await pool.fetch("select notice_id, count(*) from delivery where step > 0 group by notice_id")
    assert [row["count"] for row in steps] == [2] * 40
    clock.moves(15)
    await asyncio.gather(*(escalation(pool, clock).turn() for _ in range(6)))
    await escalation(pool, clock).turn()
    assert await reasons(pool) == ["nobody_answered"] * 40


async def test_reviews_do_not_hold_up_a_crisis(database: NewDatabase) -> None:
    """Each lane's ladder takes its own alerts alone."""
    pool, clock = await staffed(database), Clock()
    await person(pool, "clin-1", "clinician")
    await take(pool, ROUTINE, *(referral().review(U) for _ in range(50)))
    await take(pool, EXPRESS, referral().triaged(E))
    clock.ahead = timedelta(minutes=20)
    await escalation(pool, clock, Lane.EXPRESS).turn()
    moved = await pool.fetch("select lane, count(*) from alert where steps > 1 group by lane")
    assert [tuple(row) for row in moved] == [("express", 1)]
