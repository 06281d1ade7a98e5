"""The fate of a message, on a real broker and a real Postgres."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from fastapi import APIRouter
from prometheus_client import REGISTRY

from shared.db import inbox
from shared.db.postgres import Connection
from shared.errors import Permanent, Transient
from shared.events import AnyFact, ReferralWithdrawn, Topic
from shared.ids import new_id, now
from shared.kafka import dead_letters
from shared.runtime.service import Service
from shared.settings import ServiceSettings
from tests.brokers import Kafka
from tests.support import eventually

TOPIC = Topic.INTAKE_REFERRALS


def fact(reason: str = "moved_away") -> ReferralWithdrawn:
    return ReferralWithdrawn(
        event_id=new_id(),
        occurred_at=now(),
        region="north",
        referral_id=uuid4(),
        revision=1,
        clinic="clinic-1",
        express=False,
        reason=reason,
    )


class Handler:
    """Claims and remembers; `unwilling` decides what goes wrong, and when."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.unwilling: Callable[[AnyFact], None] = lambda _: None

    async def __call__(self, connection: Connection, facts: Sequence[AnyFact]) -> None:
        for one in await inbox.claim(connection, self.group, facts):
            self.unwilling(one)
            await connection.execute("insert into seen values ($1)", one.event_id)


class Running:
    def __init__(self, service: Service, handler: Handler) -> None:
        self.service = service
        self.handler = handler

    async def seen(self) -> list[UUID]:
        return [row["event_id"] for row in await self.service.pool.fetch("select event_id from seen")]

    async def sees(self, *facts: AnyFact) -> None:
        wanted = sorted(one.event_id for one in facts)

        async def all_there() -> bool:
            return sorted(await self.seen()) == wanted

        await eventually(all_there, what=f"seeing {len(facts)} facts")


Start = Callable[..., Any]


@pytest.fixture
async def start(
    kafka: Kafka, database_url: Callable[[str], Awaitable[str]], tmp_path: Path
) -> AsyncIterator[Start]:
    """`async with start("group") as running:` a service with one consumer; a group keeps its database."""
    urls: dict[str, str] = {}
    (tmp_path / "0001.sql").write_text("create table seen (event_id uuid primary key)")

    @asynccontextmanager
    async def run(group: str, **settings: Any) -> AsyncIterator[Running]:
        if group not in urls:
            urls[group] = await database_url("shared")
        service = Service(
            "intake",
            ServiceSettings.model_validate(
                {
                    "database_url": urls[group],
                    **kafka.environment,
                    "KAFKA_PARTITIONS": 1,
                    "SHUTDOWN_SECONDS": 5,
                    **settings,
                }
            ),
            migrations=tmp_path,
        )
        handler = Handler(group)
        service.consumes(TOPIC, group=group, handler=handler)
        app = service.app(APIRouter(), title="test", description="test")
        async with app.router.lifespan_context(app):

            async def ready() -> bool:
                return not service.health.not_ready()

            await eventually(ready, what="becoming ready", seconds=40)
            yield Running(service, handler)

    yield run


@pytest.fixture
async def producer(kafka_servers: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka_servers, acks="all")
    await producer.start()
    yield producer
    await producer.stop()


@pytest.fixture
def group() -> str:
    return f"group-{uuid4().hex[:8]}"


async def send(producer: AIOKafkaProducer, *facts: AnyFact) -> None:
    for one in facts:
        await producer.send_and_wait(TOPIC, one.model_dump_json().encode(), key=one.key.encode())


async def parked(servers: str, group: str, count: int) -> list[Any]:
    consumer = AIOKafkaConsumer(TOPIC.dead(group), bootstrap_servers=servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        return [await asyncio.wait_for(consumer.getone(), 20) for _ in range(count)]
    finally:
        await consumer.stop()


async def test_what_cannot_be_read_is_parked_alone_with_why_and_where(
    start: Start, producer: AIOKafkaProducer, kafka_servers: str, group: str
) -> None:
    good = fact()
    body = good.model_dump_json().encode()
    poison: list[tuple[bytes | None, list[tuple[str, Any]], str]] = [
        (b"{not json", [], "not_json"),
        (b"\xff\xfe", [], "not_json"),
        (b"", [], "empty"),
        (None, [], "empty"),
        (b'{"type": "ReferralWithdrawn"}', [], "wrong_shape"),
        (b"[1, 2]", [], "wrong_shape"),
        (body, [("traceparent", b"\xff")], "header_not_utf8"),
    ]
    async with start(group) as running:
        before = await producer.send_and_wait(TOPIC, body, key=good.key.encode())
        for value, headers, _ in poison:
            await producer.send_and_wait(TOPIC, value, key=b"k", headers=headers)
        after = fact()
        await send(producer, after)
        await running.sees(good, after)
        records = await parked(kafka_servers, group, len(poison))
    for place, (record, (value, _, reason)) in enumerate(zip(records, poison, strict=True)):
        found: dict[str, bytes] = dict(record.headers)
        assert found[dead_letters.REASON] == reason.encode()
        assert record.value == (value or b"")
        assert record.key == f"{TOPIC}/0/{before.offset + 1 + place}".encode()
        assert bytes.fromhex(found[dead_letters.ORIGIN_KEY].decode()) == b"k"


def of_a_newer_writer() -> list[bytes]:
    body = json.loads(fact().model_dump_json())
    return [
        json.dumps(body | {"type": "ReferralTeleported"}).encode(),
        json.dumps(
            body
            | {"type": "ReferralWaitlisted", "urgency": "x", "reason": "no_place", "eligible": 0}
            | {"try_again_by": body["occurred_at"]}
        ).encode(),
    ]


async def test_what_only_newer_readers_know_is_skipped_and_never_parked(
    start: Start, producer: AIOKafkaProducer, kafka_servers: str, group: str
) -> None:
    """More of them in a row than may be parked, and the offset goes on past them."""
    new = of_a_newer_writer() * 3
    async with start(group, max_parked_in_a_row=1) as running:
        for value in new:
            await producer.send_and_wait(TOPIC, value, key=b"k")
        after = fact()
        await send(producer, after)
        await running.sees(after)
        (of_service,) = running.service.consumers
        assert of_service.dead_letters_in_a_row == 0
        assert skipped(group) == {"unknown_type": 3, "unknown_value": 3}
    async with start(group) as again:
        later = fact()
        await send(producer, later)
        await again.sees(after, later)
    assert skipped(group) == {"unknown_type": 3, "unknown_value": 3}
    assert await end_of(kafka_servers, TOPIC.dead(group)) == 0


def skipped(group: str) -> dict[str, float]:
    return {
        reason: REGISTRY.get_sample_value(
            "careroute_skipped_total", {"group": group, "topic": TOPIC, "reason": reason}
        )
        or 0
        for reason in ("unknown_type", "unknown_value")
    }


async def end_of(servers: str, topic: str) -> int:
    consumer = AIOKafkaConsumer(bootstrap_servers=servers)
    await consumer.start()
    try:
        place = TopicPartition(topic, 0)
        end: int = (await consumer.end_offsets([place]))[place]
        return end
    finally:
        await consumer.stop()


async def test_a_fact_that_will_never_work_is_parked_and_its_batch_goes_on(
    start: Start, producer: AIOKafkaProducer, kafka_servers: str, group: str
) -> None:
    bad = fact("never_works")

    def unwilling(one: AnyFact) -> None:
        if isinstance(one, ReferralWithdrawn) and one.reason == "never_works":
            raise Permanent("no_such_policy")

    async with start(group) as running:
        running.handler.unwilling = unwilling
        good = [fact() for _ in range(10)]
        await send(producer, *good[:5], bad, *good[5:])
        await running.sees(*good)
        (record,) = await parked(kafka_servers, group, 1)
    assert dict(record.headers)[dead_letters.REASON] == b"no_such_policy"
    assert record.value == bad.model_dump_json().encode()


async def test_while_the_world_is_not_ready_the_same_batch_is_tried_again(
    start: Start, producer: AIOKafkaProducer, group: str
) -> None:
    tries = 0

    def unwilling(_: AnyFact) -> None:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise Transient("not_yet")

    async with start(group) as running:
        running.handler.unwilling = unwilling
        one = fact()
        await send(producer, one)
        await running.sees(one)
    assert tries == 4


async def test_a_bug_stops_the_consumer_with_its_offset_unmoved(
    start: Start, producer: AIOKafkaProducer, group: str
) -> None:
    def unwilling(_: AnyFact) -> None:
        raise KeyError("a bug")

    one = fact()
    async with start(group) as running:
        running.handler.unwilling = unwilling
        await send(producer, one)

        async def stopped() -> bool:
            return "stopped: KeyError" in running.service.health.not_live().values()

        await eventually(stopped, what="stopping")
    async with start(group) as mended:
        await mended.sees(one)


async def test_too_many_parked_in_a_row_stop_the_consumer_instead_of_draining_the_topic(
    start: Start, producer: AIOKafkaProducer, kafka_servers: str, group: str
) -> None:
    async with start(group, max_parked_in_a_row=3) as running:
        for _ in range(10):
            await producer.send_and_wait(TOPIC, b"not json", key=b"k")

        async def stopped() -> bool:
            return "stopped: TooManyDeadLetters" in running.service.health.not_live().values()

        await eventually(stopped, what="stopping")
        assert await end_of(kafka_servers, TOPIC.dead(group)) == 3
