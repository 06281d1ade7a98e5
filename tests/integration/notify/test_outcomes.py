"""After a crisis was acknowledged: its outcome has a clock, and without one it is called again."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from careroute.local.keys import Keys
from services.notify.db.checks import NO_OUTCOME
from services.notify.jobs import missed_outcomes
from shared.db.migrate import OWN_TABLES, migrate
from shared.db.postgres import Pool, open_pool
from shared.events import CrisisOutcomeRecorded, NoticeAcknowledged
from shared.ids import now
from shared.runtime.loops import BatchJob
from shared.vocabulary import Urgency
from shared.web.auth import Role
from tests import databases
from tests.integration.notify.support import (
    CLOCKS,
    EXPRESS,
    About,
    Clock,
    escalation,
    notified,
    on_duty,
    person,
    published,
    reasons,
    referral,
    take,
)
from tests.integration.notify.test_http import Call, serve
from tests.support import NewDatabase

E, V, U = Urgency.EMERGENCY, Urgency.VERY_URGENT, Urgency.URGENT
MIGRATIONS = Path(__file__).parents[3] / "services" / "notify" / "db" / "migrations"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    keys = Keys(Path(tmp_path_factory.mktemp("network")))
    keys.ensure()
    return keys


@pytest.fixture
async def notify(database: NewDatabase, keys: Keys) -> tuple[Pool, Call]:
    pool, call = await serve(database, keys)
    for name in ("psy-1", "psy-2"):
        await person(pool, name, "psychiatrist")
    for name in ("clin-1", "clin-2"):
        await person(pool, name, "clinician")
    await person(pool, "coord-1", "coordinator")
    await person(pool, "ops-1", "ops")
    await on_duty(pool, "psy-1", "psy-2", "clin-1", "clin-2")
    return pool, call


async def alert_of(pool: Pool, audience: str = "psychiatrist") -> str:
    """The newest."""
    return str(
        await pool.fetchval(
            "select id from notice where is_alert and audience = $1 order by id desc limit 1", audience
        )
    )


async def crisis(pool: Pool, call: Call, urgency: Urgency = E) -> tuple[About, str]:
    """Called and acknowledged."""
    about = referral()
    await take(pool, EXPRESS, about.triaged(urgency))
    alert = await alert_of(pool)
    answer = await acknowledge(call, alert)
    assert answer.status_code == 200, answer.text
    return about, alert


async def acknowledge(
    call: Call, alert: str, role: Role = Role.ONCALL, subject: str = "psy-1", **body: object
) -> httpx.Response:
    return await call(
        "POST", f"/v1/notices/{alert}/acknowledgement", body or None, role=role, subject=subject
    )


async def record(call: Call, alert: str, outcome: str, subject: str = "psy-1") -> httpx.Response:
    path = f"/v1/notices/{alert}/outcome"
    return await call("POST", path, {"outcome": outcome}, role=Role.ONCALL, subject=subject)


def missed(pool: Pool, clock: Callable[[], datetime]) -> BatchJob:
    return BatchJob(
        work=partial(missed_outcomes.call_again, clocks=CLOCKS),
        limit=missed_outcomes.AT_ONCE,
        pool=lambda: pool,
        committed=lambda: None,
        clock=clock,
    )


async def test_an_outcome_in_time_ends_it_and_is_announced_once(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    about, alert = await crisis(pool, call)
    waiting = (await call("GET", "/v1/notices?state=awaiting_outcome")).json()["notices"]
    assert [item["id"] for item in waiting] == [alert]
    answers = await asyncio.gather(*(record(call, alert, "reached") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].json()["called_again"] is False
    facts = [fact for fact in await published(pool) if isinstance(fact, CrisisOutcomeRecorded)]
    assert [(f.outcome, f.by, f.recipient, f.referral_id) for f in facts] == [
        ("reached", "psy-1", "psy-1", about.referral)
    ]
    clock = Clock(timedelta(days=1))
    await missed(pool, clock).turn()
    assert await pool.fetchval("select count(*) from alert") == 1
    assert (await call("GET", "/v1/notices?state=awaiting_outcome")).json()["notices"] == []
    other = await record(call, alert, "not_reached")
    assert (other.status_code, other.json()["code"]) == (409, "another_outcome")


@pytest.mark.parametrize(("urgency", "minutes"), [(E, 240), (V, 240)])
async def test_no_outcome_in_time_starts_the_ladder_again(
    notify: tuple[Pool, Call], urgency: Urgency, minutes: int
) -> None:
    """An emergency whose time to respond is four hours has as long for its outcome."""
    pool, call = notify
    await crisis(pool, call, urgency)
    clock = Clock()
    clock.moves(minutes - 1)
    assert await missed(pool, clock).turn() is False
    assert await pool.fetchval("select count(*) from alert") == 1
    clock.moves(2)
    await asyncio.gather(*(missed(pool, clock).turn() for _ in range(4)))
    [row] = await pool.fetch(
        "select id, title, text, lane from unanswered_alert join notice on id = notice_id"
    )
    assert row["title"].startswith("Called again") and "no outcome was recorded" in row["text"]
    assert row["lane"] == "express"
    assert await reasons(pool) == ["no_recipient", "no_outcome"]
    assert [pair for pair in await notified(pool) if pair[0] == "psychiatrist"] == [
        ("psychiatrist", "psy-1")
    ] * 2


async def test_the_clock_of_an_emergency_is_half_an_hour(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    about = referral()
    fact = about.triaged(E).model_copy(update={"respond_by": now() + timedelta(minutes=5)})
    await take(pool, EXPRESS, fact)
    answer = (await acknowledge(call, await alert_of(pool))).json()
    assert answer["outcome_due_at"] is not None
    clock = Clock()
    clock.moves(31)
    await missed(pool, clock).turn()
    assert await pool.fetchval("select count(*) from unanswered_alert") == 1
    clock.moves(1.6)
    await escalation(pool, clock).turn()
    assert ("psychiatrist", "psy-2") in await notified(pool), "as fast as the first time"


async def test_reconcile_names_a_crisis_past_its_clock_until_it_is_called_again(
    notify: tuple[Pool, Call],
) -> None:
    pool, call = notify
    about, _ = await crisis(pool, call)
    assert await pool.fetch(NO_OUTCOME.query, 0) == []
    await pool.execute("update alert set outcome_due_at = now() - interval '1 minute'")
    assert [row[0] for row in await pool.fetch(NO_OUTCOME.query, 0)] == [about.referral]
    await missed(pool, now).turn()
    assert await pool.fetch(NO_OUTCOME.query, 0) == []


async def test_a_missed_outcome_does_not_start_a_second_ladder(notify: tuple[Pool, Call]) -> None:
    """It was stated again meanwhile, and that alert is still open."""
    pool, call = notify
    about, _ = await crisis(pool, call)
    again = about.triaged(E, 2).model_copy(update={"restates": E})
    await take(pool, EXPRESS, again)
    await missed(pool, Clock(timedelta(days=1))).turn()
    assert await pool.fetchval("select count(*) from unanswered_alert") == 1


async def test_not_reached_starts_the_ladder_again_at_once(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    _, alert = await crisis(pool, call)
    answer = await record(call, alert, "not_reached")
    assert answer.json()["called_again"] is True
    assert await pool.fetchval("select count(*) from unanswered_alert") == 1
    again = await alert_of(pool)
    assert again != alert
    await acknowledge(call, again, subject="psy-2")
    assert (await record(call, again, "handed_to_emergency_services", "psy-2")).status_code == 200
    assert await pool.fetchval("select count(*) from crisis_without_outcome") == 0


async def test_what_asks_for_no_outcome_says_why(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    await take(pool, EXPRESS, referral().triaged(E))
    assert (await record(call, await alert_of(pool), "reached")).json()["code"] == "not_acknowledged"
    await take(pool, EXPRESS, referral().review(V, express=True))
    clinicians = await alert_of(pool, "clinician")
    await acknowledge(call, clinicians, Role.CLINICIAN, "clin-1")
    assert (await record(call, clinicians, "reached")).json()["code"] == "no_outcome_asked"
    assert (await record(call, clinicians, "maybe")).status_code == 422


async def test_a_psychiatrists_part_ends_by_a_psychiatrist_or_a_named_takeover(
    notify: tuple[Pool, Call],
) -> None:
    pool, call = notify
    await take(pool, EXPRESS, referral().triaged(E))
    alert = await alert_of(pool)
    for role, subject in ((Role.CLINICIAN, "clin-1"), (Role.COORDINATOR, "c"), (Role.ONCALL, "clin-1")):
        refused = await acknowledge(call, alert, role, subject)
        assert (refused.status_code, refused.json()["code"]) == (409, "takeover_needed"), subject
    for wrong in ({"takeover": True}, {"reason": "nobody_on_call"}, {"takeover": True, "reason": "tired"}):
        assert (await acknowledge(call, alert, Role.CLINICIAN, "clin-1", **wrong)).status_code == 422
    assert await pool.fetchval("select count(*) from unanswered_alert") == 1
    taken = await acknowledge(
        call, alert, Role.CLINICIAN, "clin-1", takeover=True, reason="responds_in_person"
    )
    assert taken.json()["taken_over"] == "responds_in_person"
    [fact] = [fact for fact in await published(pool) if isinstance(fact, NoticeAcknowledged)]
    assert (fact.by, fact.taken_over) == ("clin-1", "responds_in_person")
    assert taken.json()["outcome_due_at"], "who takes it over records what came of it"


async def test_a_psychiatrist_may_have_any_role(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    await take(pool, EXPRESS, referral().triaged(E))
    answer = await acknowledge(call, await alert_of(pool), Role.CLINICIAN, "psy-2")
    assert (answer.status_code, answer.json()["taken_over"]) == (200, None)


async def both(pool: Pool) -> tuple[str, str]:
    """A psychiatrist and a clinician are called about one referral."""
    about = referral()
    await take(pool, EXPRESS, about.review(E, 1, express=True), about.triaged(E, 2, in_review=True))
    return await alert_of(pool), await alert_of(pool, "clinician")


async def test_an_acknowledgement_stops_its_own_part_and_is_shown_to_the_others(
    notify: tuple[Pool, Call],
) -> None:
    pool, call = notify
    psychiatrist, clinician = await both(pool)
    await acknowledge(call, psychiatrist)
    open_now = (await call("GET", "/v1/notices?state=open")).json()["notices"]
    assert [item["id"] for item in open_now] == [clinician]
    [shown] = await pool.fetch(
        "select audience, text, recipient from notice join delivery on notice_id = notice.id "
        "where about = 'NoticeAcknowledged'"
    )
    assert (shown["audience"], shown["recipient"]) == ("clinician", "clin-1")
    assert "psychiatrist on call is acknowledged" in shown["text"] and "still open" in shown["text"]
    assert "psy-1" not in shown["text"]
    await acknowledge(call, clinician, Role.CLINICIAN, "clin-1")
    last = await pool.fetchrow("select * from notice where about = 'NoticeAcknowledged' order by id desc")
    assert last is not None
    assert last["audience"] == "psychiatrist" and "still open" not in last["text"]


async def test_the_alarm_says_whose_part_has_no_answer(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    psychiatrist, clinician = await both(pool)
    clock = Clock()
    clock.moves(60)
    await escalation(pool, clock).turn()
    of_clinician = "select text from notice where answers = $1::uuid and audience = 'coordinator'"
    before = await pool.fetchval(of_clinician, clinician)
    assert "No clinician on call has acknowledged it." in before and "is acknowledged" not in before
    await acknowledge(call, psychiatrist)
    await pool.execute("update delivery set state = 'delivered'")
    clock.moves(15)
    await escalation(pool, clock).turn()
    after = await pool.fetchval(of_clinician, clinician)
    assert "The part of the psychiatrist on call is acknowledged." in after
    again = await pool.fetchval(
        "select count(*) from delivery join notice on notice.id = notice_id "
        "where answers = $1::uuid and audience = 'coordinator'",
        clinician,
    )
    assert again == 2, "the same alarm, told again"


async def test_an_alert_that_hangs_on_one_person_is_told_to_ops(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    await take(pool, EXPRESS, referral().triaged(E))
    assert ("ops", "ops-1") not in await notified(pool)
    rota = await call("PUT", "/v1/rota/north", {"fallback": ["psy-1", "clin-1"]})
    assert [gap["psychiatrists"] for gap in rota.json()["gaps"]] == [1]
    await take(pool, EXPRESS, referral().triaged(E))
    assert ("ops", "ops-1") in await notified(pool)


async def test_what_the_version_before_stored_goes_on(
    postgres_url: str, notify: tuple[Pool, Call], tmp_path: Path
) -> None:
    """Open alerts go on escalating; what was acknowledged before gets no clock."""
    older = tmp_path / "notify" / "db" / "migrations"
    older.mkdir(parents=True)
    for file in sorted(MIGRATIONS.glob("000[123]*.sql")):
        (older / file.name).write_text(file.read_text())
    name = await databases.create(postgres_url, "notify")
    pool = await open_pool(databases.at(postgres_url, name), size=5)
    try:
        await migrate(pool, OWN_TABLES, older)
        for number, acknowledged in ((1, False), (2, True)):
            await pool.execute(OLD_ALERT, number, acknowledged)
        await pool.execute("insert into referral (id) select referral_id from notice")
        await migrate(pool, OWN_TABLES, MIGRATIONS)
        for person_id in ("psy-1", "psy-2"):
            await person(pool, person_id, "psychiatrist")
        clock = Clock()
        await escalation(pool, clock).turn()
        assert [pair for pair in await notified(pool)] == [("psychiatrist", "psy-1")]
        clock.moves(5.1)
        await escalation(pool, clock).turn()
        assert ("psychiatrist", "psy-2") in await notified(pool), "at the pace it was opened with"
        clock.ahead = timedelta(days=30)
        assert await missed(pool, clock).turn() is False
        assert await pool.fetchval("select count(*) from crisis_without_outcome") == 0
    finally:
        await pool.close()
        await databases.drop(postgres_url, name)


OLD_ALERT = """
    with told as (
        insert into notice (id, event_id, referral_id, revision, decision, clinic, region, audience, about,
                            urgency, lane, title, text, respond_by, occurred_at, created_at, is_alert,
                            unaddressed)
        values (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), $1, 1, 'clinic-1', 'north',
                'psychiatrist', 'ReferralTriaged', 'emergency', 'express', 'A title', 'A text.', now(), now(),
                now(), true, false)
        returning id)
    insert into alert (notice_id, lane, step_length, alarm_by, steps, alarms, next_step_at, acknowledged_at,
                       acknowledged_by)
    select id, 'express', interval '5 minutes', now() + interval '15 minutes', 0, 0, now(),
           case when $2 then now() end, case when $2 then 'psy-1' end
    from told
"""
