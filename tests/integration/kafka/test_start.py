"""A service waits for what is not there, and gets over what goes away."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from fastapi import APIRouter, FastAPI

from careroute.local.stack import Stack
from shared.db import inbox, outbox
from shared.db.postgres import Connection, transaction
from shared.events import AnyFact, ReferralWithdrawn, Topic
from shared.ids import new_id, now
from shared.runtime import declaration
from shared.runtime.service import Service
from shared.settings import ServiceSettings
from tests import brokers
from tests.brokers import Kafka
from tests.support import eventually

TOPIC = Topic.INTAKE_REFERRALS


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A Postgres of its own, not started."""
    stack = Stack(tmp_path / "stack", environ={})
    stack.open()
    yield stack
    stack.discard()


async def handle(connection: Connection, facts: Sequence[AnyFact]) -> None:
    await inbox.claim(connection, "waiter", facts)


def make(stack: Stack, kafka: Kafka, tmp_path: Path) -> tuple[Service, FastAPI]:
    service = Service(
        "intake",
        ServiceSettings.model_validate(
            {
                "database_url": stack.postgres.url("intake"),
                **kafka.environment,
                "KAFKA_PARTITIONS": 2,
                "SHUTDOWN_SECONDS": 3,
            }
        ),
        migrations=tmp_path / "none",
    )
    service.consumes(TOPIC, group="waiter", handler=handle)
    return service, service.app(APIRouter(), title="test", description="test")


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        yield client


def fact() -> ReferralWithdrawn:
    return ReferralWithdrawn(
        event_id=new_id(),
        occurred_at=now(),
        region="north",
        referral_id=uuid4(),
        revision=1,
        clinic="clinic-1",
        express=False,
        reason="moved_away",
    )


async def ready(client: httpx.AsyncClient) -> None:
    async def is_ready() -> bool:
        return (await client.get("/health/ready")).status_code == 200

    await eventually(is_ready, seconds=60, what="becoming ready")


async def test_started_before_kafka_and_postgres_it_waits_and_recovers(
    stack: Stack, kafka: Kafka, tmp_path: Path
) -> None:
    kafka.kill()
    _, app = make(stack, kafka, tmp_path)
    async with running(app) as client:
        assert (await client.get("/health/ready")).status_code == 503
        assert (await client.get("/health/live")).status_code == 200  # waiting is not being dead
        stack.start("postgres")
        assert (await client.get("/health/ready")).status_code == 503
        kafka.start()
        await ready(client)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The embedded broker has no disk to keep."""
    if "disk" in metafunc.fixturenames:
        has_one = brokers.chosen(metafunc.config) in ("apache", "container")
        metafunc.parametrize("disk", ["kept", "lost"] if has_one else ["lost"])


async def test_facts_said_while_the_broker_is_away_arrive_when_it_is_back_even_empty(
    stack: Stack, kafka: Kafka, tmp_path: Path, disk: str
) -> None:
    stack.start("postgres")
    service, app = make(stack, kafka, tmp_path)
    async with running(app) as client:
        await ready(client)

        async def say(count: int) -> None:
            async with transaction(service.pool) as connection:
                await outbox.publish(connection, [fact() for _ in range(count)])
            service.wake()

        async def claimed(count: int) -> bool:
            return bool(await service.pool.fetchval("select count(*) = $1 from inbox", count))

        await say(30)
        await eventually(lambda: claimed(30), what="claiming the first 30")
        kafka.kill()
        await say(90)  # more than before: a place of the lost log would lie within the new one
        assert await service.pool.fetchval("select count(*) from outbox where sent_at is null") == 90
        if disk == "lost":
            kafka.forget()
        kafka.start()
        await eventually(lambda: claimed(120), seconds=60, what="claiming the other 90")
        assert (await client.get("/health/live")).status_code == 200


async def test_work_that_takes_a_cancellation_for_an_error_does_not_hold_up_a_stop(
    stack: Stack, kafka: Kafka, tmp_path: Path
) -> None:
    stack.start("postgres")
    service, app = make(stack, kafka, tmp_path)
    at_work, mistaken = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        try:
            at_work.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if mistaken.is_set():
                raise
            mistaken.set()
            raise TimeoutError from None

    service.every(0.1, "stubborn", stubborn)
    async with asyncio.timeout(90):
        async with running(app) as client:
            await ready(client)
            await at_work.wait()


async def test_postgres_restarted_under_way_loses_nothing(stack: Stack, kafka: Kafka, tmp_path: Path) -> None:
    stack.start("postgres")
    service, app = make(stack, kafka, tmp_path)
    async with running(app) as client:
        await ready(client)
        facts = [fact() for _ in range(50)]
        async with transaction(service.pool) as connection:
            await outbox.publish(connection, facts)
        stack.kill("postgres")
        stack.start("postgres")

        async def claimed() -> bool:
            try:
                return bool(await service.pool.fetchval("select count(*) = 50 from inbox"))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                return False

        await eventually(claimed, seconds=60, what="claiming all 50")


async def test_while_its_database_is_away_a_service_turns_and_is_not_ready(
    stack: Stack, kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declaration, "AWAY_SECONDS", 6)  # it looks every five
    stack.start("postgres")
    _, app = make(stack, kafka, tmp_path)
    async with running(app) as client:
        await ready(client)
        stack.kill("postgres")

        async def says_so() -> bool:
            answer = await client.get("/health/ready")
            return answer.status_code == 503 and "postgres" in answer.json()["problems"]

        await eventually(says_so, seconds=60, what="not being ready")
        assert (await client.get("/health/live")).status_code == 200
        stack.start("postgres")
        await ready(client)


async def test_records_carry_cloudevents_and_trace(stack: Stack, kafka: Kafka, tmp_path: Path) -> None:
    stack.start("postgres")
    service, app = make(stack, kafka, tmp_path)
    async with running(app) as client:
        await ready(client)
        one = fact()
        async with transaction(service.pool) as connection:
            await outbox.publish(connection, [one])
        consumer = AIOKafkaConsumer(
            TOPIC, bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest"
        )
        await consumer.start()
        record = await asyncio.wait_for(consumer.getone(), 20)
        await consumer.stop()
    headers = dict(record.headers)
    assert headers["ce_id"] == str(one.event_id).encode()
    assert headers["ce_type"] == b"careroute.ReferralWithdrawn.v1"
    assert headers["ce_source"] == b"/careroute/intake"
    assert headers["ce_specversion"] == b"1.0"
    assert record.key == str(one.referral_id).encode()
