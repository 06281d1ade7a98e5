"""Deliveries from a real database to real endpoints on the loopback."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from services.notify.channels.webhook import request
from services.notify.db import deliveries
from services.notify.jobs.delivery import Deliverer
from shared.db.postgres import Pool, Record, transaction
from shared.events import NoticeFailed, NoticeSent
from shared.ids import now
from shared.vocabulary import Lane, Urgency
from tests.endpoint import Call, Endpoint, endpoint
from tests.integration.notify.support import (
    EXPRESS,
    MATCHING,
    ROUTINE,
    SECRET,
    Clock,
    deliverer,
    escalation,
    on_duty,
    person,
    published,
    referral,
    take,
)
from tests.support import NewDatabase, eventually

E = Urgency.EMERGENCY


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with request.make_client() as made:
        yield made


async def run(deliverer: Deliverer) -> None:
    """Turns until nothing is under way and nothing is due."""
    while True:
        more = await deliverer.turn()
        if not (more or deliverer._leased or deliverer._ended or deliverer._unsent):
            return
        await asyncio.sleep(0.005)


async def states(pool: Pool) -> dict[str, list[str]]:
    rows = await pool.fetch("select recipient, state from delivery order by id")
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["recipient"], []).append(row["state"])
    return found


async def clinic(pool: Pool, name: str, *urls: str) -> None:
    await person(pool, name, "clinic", *urls, clinic=name)


async def test_a_notice_is_sent_signed_and_announced_once(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    pool, about = await database("notify"), referral(clinic="desk")
    async with endpoint() as here:
        await clinic(pool, "desk", f"{here.url}/hook?x=1")
        await take(pool, MATCHING, about.accepted())
        carrier = deliverer(pool, client)
        await run(carrier)
        await run(carrier)
        [call] = here.calls
    assert call.path == "/hook?x=1"
    assert call.said["type"] == "notice" and call.said["about"] == "MatchAccepted"
    assert call.said["link"] == f"http://intake.example/v1/referrals/{about.referral}"
    signed = call.headers["careroute-timestamp"].encode() + b"." + call.body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert call.headers["careroute-signature"] == f"v1={expected}"
    assert call.headers["careroute-delivery"] == call.said["delivery_id"]
    [fact] = await published(pool)
    assert isinstance(fact, NoticeSent)
    assert (fact.recipient, fact.channel, fact.step) == ("desk", "webhook-1", 0)
    assert str(fact.notice_id) == call.said["notice_id"]
    assert await states(pool) == {"desk": ["delivered"]}


async def test_a_failure_is_tried_again_later_under_the_same_id(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    pool, clock = await database("notify"), Clock()
    async with endpoint() as here:
        here.answer = lambda call: (500, {})
        await clinic(pool, "desk", here.url)
        await take(pool, MATCHING, referral(clinic="desk").accepted())
        carrier = deliverer(pool, client, clock=clock)
        await run(carrier)
        clock.moves(0.03)
        await run(carrier)
        assert len(here.calls) == 1, "no hot loop"
        assert await published(pool) == []
        here.answer = lambda call: (200, {})
        clock.moves(1)
        await run(carrier)
    first, second = here.said()
    assert first["delivery_id"] == second["delivery_id"]
    assert (first["attempt"], second["attempt"]) == (1, 2)
    assert [fact.type for fact in await published(pool)] == ["NoticeSent"]


async def test_what_the_endpoint_asks_for_is_honoured(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    pool, clock = await database("notify"), Clock()
    async with endpoint() as here:
        here.answer = lambda call: (429, {"retry-after": "1800"})
        await clinic(pool, "desk", here.url)
        await take(pool, MATCHING, referral(clinic="desk").accepted())
        carrier = deliverer(pool, client, clock=clock)
        await run(carrier)
        await take(pool, MATCHING, referral(clinic="desk").accepted())
        clock.moves(29)
        await run(carrier)
        assert len(here.calls) == 1, "neither this delivery nor another to the same host"
        here.answer = lambda call: (200, {})
        clock.moves(2)
        await run(carrier)
        await run(carrier)
    assert await states(pool) == {"desk": ["delivered", "delivered"]}


async def test_a_notice_goes_by_the_next_channel_when_one_fails(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    pool, clock = await database("notify"), Clock()
    async with endpoint() as gone, endpoint() as well:
        gone.answer = lambda call: (410, {})
        await clinic(pool, "desk", gone.url, well.url)
        await take(pool, MATCHING, referral(clinic="desk").accepted())
        carrier = deliverer(pool, client, clock=clock)
        await run(carrier)
        clock.moves(60)
        await run(carrier)
    assert (len(gone.calls), len(well.calls)) == (1, 1)
    [fact] = await published(pool)
    assert isinstance(fact, NoticeSent) and fact.channel == "webhook-2"


async def test_what_had_failed_goes_at_once_to_a_corrected_address(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    pool = await database("notify")
    async with endpoint() as gone, endpoint() as well:
        gone.answer = lambda call: (410, {})
        await clinic(pool, "desk", gone.url)
        await take(pool, MATCHING, referral(clinic="desk").accepted())
        carrier = deliverer(pool, client)
        await run(carrier)
        await clinic(pool, "desk", well.url)
        await run(carrier)
    assert (len(gone.calls), len(well.calls)) == (1, 1)


async def test_after_days_it_is_announced_as_failed_once(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    pool, clock = await database("notify"), Clock()
    async with endpoint() as here:
        here.answer = lambda call: (503, {})
        await clinic(pool, "desk", here.url)
        await take(pool, MATCHING, referral(clinic="desk").accepted())
        carrier = deliverer(pool, client, clock=clock, give_up_after=timedelta(days=3))
        for _ in range(90):
            clock.moves(60)
            await run(carrier)
    assert 60 < len(here.calls) < 150, "for days, and not all the time"
    [fact] = await published(pool)
    assert isinstance(fact, NoticeFailed)
    assert (fact.reason, fact.recipient) == ("undeliverable", "desk")
    assert [row["state"] for row in await pool.fetch("select state from notice_seen")] == ["undeliverable"]


async def test_a_slow_endpoint_does_not_hold_up_the_others(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    pool = await database("notify")
    async with AsyncExitStack() as stack:
        slow = await stack.enter_async_context(endpoint(slow=True))
        quick = await stack.enter_async_context(endpoint())
        await clinic(pool, "a-slow", slow.url)
        await clinic(pool, "b-quick", quick.url)
        await take(pool, MATCHING, *(referral(clinic="a-slow").accepted() for _ in range(200)))
        await take(pool, MATCHING, *(referral(clinic="b-quick").accepted() for _ in range(50)))
        carrier = deliverer(pool, client, places=8, per_host=3, timeout_seconds=30)

        async def all_quick() -> bool:
            await carrier.turn()
            return len(quick.calls) == 50

        await eventually(all_quick, seconds=10, what="delivering past a slow endpoint")
        assert len(slow.calls) == slow.most_at_once == 3, "and it has no more than its places"
        slow.let_go.set()
        await carrier.close()


async def test_what_is_taken_ahead_waits_for_its_host_and_is_put_back_by_stopping(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    pool = await database("notify")
    async with endpoint(slow=True) as slow:
        await clinic(pool, "desk", slow.url)
        await take(pool, MATCHING, *(referral(clinic="desk").accepted() for _ in range(20)))
        due = await queue(pool)
        carrier = deliverer(pool, client, places=8, per_host=2, ahead=4)
        await carrier.turn()
        await eventually(lambda: _calls(slow), what="a request under way")
        assert [row["attempts"] for row in await queue(pool)].count(1) == 8, "two under way, six ahead"
        closing = asyncio.create_task(carrier.close())
        slow.let_go.set()
        await closing
    assert slow.most_at_once == len(slow.calls) == 2
    sent = {said["delivery_id"] for said in slow.said()}
    assert await queue(pool) == [row for row in due if str(row["id"]) not in sent], "as if never taken"


async def test_what_is_taken_ahead_for_a_host_that_falls_ill_is_put_back(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    pool = await database("notify")
    async with endpoint() as ill:
        ill.answer = lambda call: (503, {})
        await clinic(pool, "desk", ill.url)
        await take(pool, MATCHING, *(referral(clinic="desk").accepted() for _ in range(20)))
        await run(deliverer(pool, client, places=8, per_host=2, ahead=4))
    assert len(ill.calls) == 2, "those under way side by side"
    assert sorted(row["attempts"] for row in await queue(pool)) == [0] * 18 + [1] * 2


async def queue(pool: Pool) -> list[Record]:
    return await pool.fetch(
        "select id, attempts, next_attempt_at from delivery where state = 'waiting' order by id"
    )


async def test_an_alert_does_not_wait_behind_notices(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    """Every place of the routine lane is taken by endpoints that never answer."""
    pool = await database("notify")
    async with endpoint(slow=True) as slow, endpoint() as pager:
        await clinic(pool, "desk", slow.url)
        await person(pool, "psy-1", "psychiatrist", pager.url)
        await take(pool, MATCHING, *(referral(clinic="desk").accepted() for _ in range(50)))
        routine = deliverer(pool, client, places=2, per_host=2, timeout_seconds=30)
        express = deliverer(pool, client, lane=Lane.EXPRESS, places=2, per_host=2)
        await routine.turn()
        await take(pool, EXPRESS, referral(clinic="desk").triaged(E))
        await run(express)
        assert [said["type"] for said in pager.said()] == ["alert"]
        slow.let_go.set()
        await routine.close()


async def test_what_cannot_wait_goes_first_in_its_lane(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    pool = await database("notify")
    async with endpoint() as here:
        await clinic(pool, "desk", here.url)
        await person(pool, "psy-1", "psychiatrist")
        await take(pool, MATCHING, *(referral(clinic="desk").accepted() for _ in range(30)))
        await take(pool, EXPRESS, referral(clinic="desk").triaged(E))
        carrier = deliverer(pool, client, places=1, per_host=1)
        await carrier.turn()
        await eventually(lambda: _calls(here), what="a first delivery")
        await carrier.close()
    assert here.said()[0]["urgency"] == "emergency"


async def test_an_alert_goes_before_notices_of_its_lane(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    pool = await database("notify")
    async with endpoint() as here:
        await clinic(pool, "desk", here.url)
        await person(pool, "clin-1", "clinician", here.url)
        await take(pool, MATCHING, *(referral(clinic="desk").accepted() for _ in range(30)))
        await take(pool, ROUTINE, referral(clinic="desk").review(Urgency.SOON))
        carrier = deliverer(pool, client, places=1, per_host=1)
        await carrier.turn()
        await eventually(lambda: _calls(here), what="a first delivery")
        await carrier.close()
    assert here.calls[0].said["type"] == "alert"


async def _calls(here: Endpoint) -> list[Call]:
    return here.calls


async def test_several_deliverers_send_each_delivery_once(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    pool = await database("notify")
    async with endpoint() as here:
        await clinic(pool, "desk", here.url)
        await take(pool, MATCHING, *(referral(clinic="desk").accepted() for _ in range(120)))
        await asyncio.gather(*(run(deliverer(pool, client)) for _ in range(4)))
        assert await states(pool) == {"desk": ["delivered"] * 120}
    ids = [said["delivery_id"] for said in here.said()]
    assert len(ids) == len(set(ids)) == 120


async def test_what_a_dead_deliverer_had_taken_is_sent_by_the_next(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    pool, clock = await database("notify"), Clock()
    async with endpoint() as here:
        await clinic(pool, "desk", here.url)
        await take(pool, MATCHING, referral(clinic="desk").accepted())
        async with transaction(pool) as connection:
            duration = timedelta(seconds=60)
            taken = await deliveries.lease(
                connection, Lane.ROUTINE, now=now(), limit=5, room={}, at_once=5, duration=duration
            )
        assert len(taken) == 1
        await run(deliverer(pool, client, clock=clock))
        assert here.calls == [], "it is still another's"
        clock.moves(1.1)
        await run(deliverer(pool, client, clock=clock))
    assert [said["delivery_id"] for said in here.said()] == [str(taken[0].id)]


async def test_stopping_finishes_what_is_taken_and_takes_no_more(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    pool = await database("notify")
    async with endpoint(slow=True) as slow:
        await clinic(pool, "desk", slow.url)
        await take(pool, MATCHING, *(referral(clinic="desk").accepted() for _ in range(10)))
        carrier = deliverer(pool, client, places=3, per_host=3)
        await carrier.turn()
        closing = asyncio.create_task(carrier.close())
        await eventually(lambda: _calls(slow), what="a request under way")
        slow.let_go.set()
        await closing
        assert not await carrier.turn()
    assert sorted((await states(pool))["desk"]) == ["delivered"] * 3 + ["waiting"] * 7


async def test_a_failing_pager_moves_the_alert_up_at_once(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    pool = await database("notify")
    async with endpoint() as gone, endpoint() as pager:
        gone.answer = lambda call: (404, {})
        await person(pool, "psy-1", "psychiatrist", gone.url)
        await person(pool, "psy-2", "psychiatrist", pager.url)
        await on_duty(pool, "psy-1", "psy-2")
        await take(pool, EXPRESS, referral().triaged(E))
        carrier = deliverer(pool, client, lane=Lane.EXPRESS)
        await run(carrier)
        await escalation(pool).turn()
        await run(carrier)
    assert len(gone.calls) == 1
    [said] = pager.said()
    assert said["acknowledge_url"] == f"http://notify.example/v1/notices/{said['notice_id']}/acknowledgement"
    sent = [fact for fact in await published(pool) if isinstance(fact, NoticeSent)]
    assert [(fact.recipient, fact.step) for fact in sent] == [("psy-2", 2)]


async def test_one_delivery_that_breaks_does_not_stop_the_others(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    """A secret that cannot be opened is our fault, and of that recipient alone."""
    pool = await database("notify")
    async with endpoint() as here:
        await clinic(pool, "a-broken", here.url)
        await clinic(pool, "b-well", here.url)
        await pool.execute("update channel set secret = 'k9:xxxxxxxxxxxxxxxx' where recipient = 'a-broken'")
        await take(pool, MATCHING, *(referral(clinic=c).accepted() for c in ("a-broken", "b-well")))
        await run(deliverer(pool, client))
    assert await states(pool) == {"a-broken": ["waiting"], "b-well": ["delivered"]}
    assert await pool.fetchval("select outcome from delivery where state = 'waiting'") == "our_fault"


async def test_telling_somebody_for_whom_much_waits_reads_none_of_it(database: NewDatabase) -> None:
    """What was told of the same notice is found by the notice, not among all that waits for the recipient."""
    pool = await database("notify")
    await clinic(pool, "desk", "http://many.example/")
    await take(pool, MATCHING, *(referral(clinic="desk").accepted() for _ in range(300)))
    await pool.execute("update delivery set state = 'delivered'")
    await pool.execute("vacuum analyze delivery")  # statistics of a quieter time
    await pool.execute("update delivery set state = 'waiting'")
    row = (await pool.fetch("select * from delivery"))[0]
    columns = ("notice_id", "recipient", "channel", "step", "lane", "line", "first_at", "next_attempt_at")
    async with transaction(pool) as connection:
        lines = await connection.fetch(
            f"explain {deliveries.INSERT}", [uuid4()], *([row[name]] for name in columns)
        )
    text = "\n".join(line[0] for line in lines)
    assert "delivery_notice_id_recipient_step_channel_key" in text and "delivery_waiting" not in text, text


async def test_taking_reads_what_it_takes_however_much_waits(database: NewDatabase) -> None:
    pool = await database("notify")
    await clinic(pool, "desk", "http://many.example/")
    await take(pool, MATCHING, *(referral(clinic="desk").accepted() for _ in range(300)))
    await pool.execute("update delivery set state = 'delivered'")
    await pool.execute("vacuum analyze delivery")  # statistics of a quieter time
    await pool.execute("update delivery set state = 'waiting'")
    async with transaction(pool) as connection:
        lines = await connection.fetch(
            f"explain (analyze, format text) {deliveries.LEASE}",
            *("routine", now() + timedelta(minutes=1), 64, [], [], 16, timedelta(seconds=60)),
        )
    text = "\n".join(line[0] for line in lines)
    removed = re.findall(r"Rows Removed by Filter: (\d+)", text)
    assert "rows=16" in text and max(map(int, removed), default=0) < 16, text


async def test_ten_thousand_waiting_for_one_host_do_not_slow_the_taking_for_another(
    database: NewDatabase, client: httpx.AsyncClient
) -> None:
    """The plan walks hosts by the index: nobody reads the whole queue to find the next one."""
    pool = await database("notify")
    await clinic(pool, "a-many", "http://many.example/")
    await clinic(pool, "b-few", "http://few.example/")
    await take(pool, MATCHING, referral(clinic="a-many").accepted(), referral(clinic="b-few").accepted())
    await pool.execute(
        "insert into delivery (id, notice_id, recipient, channel, step, lane, line, first_at, "
        "next_attempt_at) select gen_random_uuid(), notice_id, recipient, channel, n, lane, line, first_at, "
        "next_attempt_at from delivery, generate_series(1, 10000) n where recipient = 'a-many'"
    )
    await pool.execute("vacuum analyze delivery")
    async with transaction(pool) as connection:
        lines = await connection.fetch(
            "explain (analyze, format text) " + deliveries.LEASE,
            *("routine", now(), 64, ["many.example"], [2], 8, timedelta(seconds=60)),
        )
    text = "\n".join(line[0] for line in lines)
    assert "Seq Scan on delivery" not in text, text
    async with transaction(pool) as connection:
        taken = await deliveries.lease(
            connection,
            Lane.ROUTINE,
            now=now() + timedelta(minutes=2),
            limit=64,
            room={"many.example": 2},
            at_once=8,
            duration=timedelta(seconds=60),
        )
    assert sorted(due.recipient for due in taken) == ["a-many", "a-many", "b-few"]
