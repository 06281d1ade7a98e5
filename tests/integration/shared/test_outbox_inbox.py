"""State and announcement commit together; a second delivery does nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import chain
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka.errors import KafkaError

from shared.db import inbox, outbox, partitions, relay
from shared.db.postgres import Pool, open_pool, transaction
from shared.events import ReferralWithdrawn
from shared.ids import new_id, now
from shared.telemetry import trace
from shared.vocabulary import Lane
from tests.support import NewDatabase


def withdrawn(key: int = 0, *, express: bool = False) -> ReferralWithdrawn:
    return ReferralWithdrawn(
        event_id=new_id(),
        occurred_at=now(),
        region="north",
        referral_id=UUID(int=key) if key else uuid4(),
        revision=1,
        clinic="clinic-1",
        express=express,
        reason="moved_away",
    )


async def say(pool: Pool, *facts: ReferralWithdrawn) -> None:
    async with transaction(pool) as connection:
        await outbox.publish(connection, facts)


@pytest.fixture
async def shared_database(
    database_url: Callable[[str], Awaitable[str]],
) -> AsyncIterator[tuple[Pool, str]]:
    url = await database_url("shared")
    pool = await open_pool(url, size=10)
    yield pool, url
    await pool.close()


class Sent:
    """What a Kafka producer was asked to send; refuses those whose event id it was told to."""

    def __init__(self, *, refuse: set[bytes] | None = None) -> None:
        self.records: list[tuple[str, bytes, bytes]] = []
        self.refuse = refuse or set()

    async def send(
        self, topic: str, *, value: bytes, key: bytes, headers: list[tuple[str, bytes]]
    ) -> "asyncio.Future[object]":
        outcome: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        event = dict(headers)["ce_id"]
        if event in self.refuse:
            self.refuse.discard(event)
            outcome.set_exception(KafkaError())
        else:
            self.records.append((topic, key, event))
            outcome.set_result(None)
        return outcome

    async def stop(self) -> None:
        pass


async def relay_until(pool: Pool, url: str, sent: Sent, lane: Lane, *, unsent: int = 0) -> None:
    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(url)

    async def producer() -> Sent:
        return sent

    running = relay.Relay("intake", lane, connect, producer, poll_seconds=0.01)
    task = asyncio.create_task(running.run())
    try:
        async with asyncio.timeout(10):
            query = "select count(*) from outbox where sent_at is null and lane = $1"
            while await pool.fetchval(query, lane) > unsent:
                await asyncio.sleep(0.01)
    finally:
        task.cancel()


async def test_what_rolls_back_is_never_published(database: NewDatabase) -> None:
    pool = await database("shared")
    with pytest.raises(ZeroDivisionError):
        async with transaction(pool) as connection:
            await outbox.publish(connection, [withdrawn()])
            _ = 1 / 0
    assert await pool.fetchval("select count(*) from outbox") == 0


async def test_facts_leave_in_the_order_they_were_said_each_lane_by_itself(
    shared_database: tuple[Pool, str],
) -> None:
    pool, url = shared_database
    routine = [withdrawn(7) for _ in range(50)]
    express = [withdrawn(8, express=True) for _ in range(3)]
    await say(pool, *routine, *express)
    sent = Sent()
    await relay_until(pool, url, sent, Lane.EXPRESS)
    assert [event for _, _, event in sent.records] == [str(f.event_id).encode() for f in express]
    await relay_until(pool, url, sent, Lane.ROUTINE)
    assert [event for _, _, event in sent.records[3:]] == [str(f.event_id).encode() for f in routine]


async def test_a_failed_send_holds_back_the_later_facts_of_its_key(
    shared_database: tuple[Pool, str],
) -> None:
    pool, url = shared_database
    first, second, other = withdrawn(1), withdrawn(1), withdrawn(2)
    await say(pool, first, second, other)
    sent = Sent(refuse={str(first.event_id).encode()})
    await relay_until(pool, url, sent, Lane.ROUTINE)
    mine = [event for _, key, event in sent.records if key == str(first.referral_id).encode()]
    assert mine[-2:] == [str(first.event_id).encode(), str(second.event_id).encode()]


async def test_two_relays_of_one_lane_send_each_fact_once(
    shared_database: tuple[Pool, str],
) -> None:
    pool, url = shared_database
    facts = [withdrawn(n % 5 + 1) for n in range(200)]
    await say(pool, *facts)
    sent = Sent()
    both = (relay_until(pool, url, sent, Lane.ROUTINE) for _ in range(2))
    await asyncio.gather(*both)
    assert sorted(event for _, _, event in sent.records) == sorted(str(f.event_id).encode() for f in facts)


async def test_an_event_is_claimed_once_however_often_it_comes(database: NewDatabase) -> None:
    pool = await database("shared")
    facts = [withdrawn() for _ in range(5)]

    async def claim() -> int:
        async with transaction(pool) as connection:
            return len(await inbox.claim(connection, "triage", [*facts, *facts]))

    assert sum(await asyncio.gather(*(claim() for _ in range(8)))) == 5
    async with transaction(pool) as connection:
        assert await inbox.claim(connection, "another", facts) == facts


async def test_a_claim_is_undone_with_its_transaction(database: NewDatabase) -> None:
    pool = await database("shared")
    facts = [withdrawn()]
    with pytest.raises(ZeroDivisionError):
        async with transaction(pool) as connection:
            await inbox.claim(connection, "triage", facts)
            _ = 1 / 0
    async with transaction(pool) as connection:
        assert await inbox.claim(connection, "triage", facts) == facts


async def test_a_day_past_retention_is_dropped_only_when_all_of_it_was_sent(database: NewDatabase) -> None:
    pool = await database("shared")
    long_ago = datetime.now(UTC).date() - timedelta(days=40)
    name = f"outbox_{long_ago:%Y%m%d}"
    async with transaction(pool) as connection:
        await connection.execute(
            f"create table {name} partition of outbox"
            f" for values from ('{long_ago}') to ('{long_ago + timedelta(days=1)}')"
        )
        await outbox.publish(connection, [withdrawn()])
        await connection.execute("update outbox set day = $1", long_ago)
    async with transaction(pool) as connection:
        assert await partitions.keep_partitions(connection, days=14) == []
        await connection.execute("update outbox set sent_at = now()")
        assert await partitions.keep_partitions(connection, days=14) == [name]
        today = f"outbox_{datetime.now(UTC):%Y%m%d}"
        assert await connection.fetchval("select to_regclass($1) is not null", today)


async def test_replicas_that_keep_house_at_once_do_not_stop_each_other(database: NewDatabase) -> None:
    pool = await database("shared")
    long_ago = datetime.now(UTC).date() - timedelta(days=40)
    name = f"outbox_{long_ago:%Y%m%d}"
    await pool.execute(
        f"create table {name} partition of outbox"
        f" for values from ('{long_ago}') to ('{long_ago + timedelta(days=1)}')"
    )

    async def keep_house() -> list[str]:
        async with transaction(pool) as connection:
            return await partitions.keep_partitions(connection, days=14)

    dropped = await asyncio.gather(*(keep_house() for _ in range(4)))
    assert list(chain.from_iterable(dropped)) == [name]
    found = await pool.fetch(partitions.PARTITIONS)
    assert len(found) == 8


async def test_a_fact_is_announced_under_the_trace_of_what_caused_it(database: NewDatabase) -> None:
    pool = await database("shared")
    fact = withdrawn()
    cause = trace.child(None)
    with trace.causes({fact.referral_id: cause}):
        await say(pool, fact)
    assert await pool.fetchval("select traceparent from outbox") == cause
