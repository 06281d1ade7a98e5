"""How far behind a consumer is, is asked of Kafka: it grows while the consumer itself is stuck."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import REGISTRY

from careroute.local.stack import Stack
from shared.db import inbox, outbox
from shared.db.postgres import Connection, transaction
from shared.events import AnyFact
from shared.kafka import log_ends
from shared.kafka.client import create_topics
from shared.settings import ServiceSettings
from tests.brokers import Kafka
from tests.integration.kafka.test_start import TOPIC, fact, make, ready, running
from tests.support import eventually


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path / "stack", environ={})
    stack.open()
    yield stack
    stack.discard()


LABELS = {"group": "slow", "topic": str(TOPIC)}


async def partitions() -> bool:
    return REGISTRY.get_sample_value("careroute_consumer_partitions", LABELS) == 2


def lags(least: float, most: float = 705) -> Callable[[], Awaitable[bool]]:
    """The embedded broker tells too early an end, short of its last batch: there it is a lower bound."""

    async def probe() -> bool:
        return least <= (REGISTRY.get_sample_value("careroute_consumer_lag", LABELS) or 0) <= most

    return probe


async def test_lag_grows_while_a_batch_is_stuck_and_goes_when_it_is_taken(
    stack: Stack, kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_ends, "SECONDS", 1)  # an answer waits behind a fetch, half a second
    go_on = asyncio.Event()

    async def stuck(connection: Connection, facts: Sequence[AnyFact]) -> None:
        await go_on.wait()
        await inbox.claim(connection, "slow", facts)

    stack.start("postgres")
    service, app = make(stack, kafka, tmp_path)
    service.consumes(TOPIC, group="slow", handler=stuck)

    async def say(count: int) -> None:
        async with transaction(service.pool) as connection:
            await outbox.publish(connection, [fact() for _ in range(count)])
        service.wake()

    async with running(app) as client:
        await ready(client)
        await eventually(partitions, what="having partitions")
        await say(5)
        await eventually(lags(5), what="being 5 behind")
        await say(700)
        await eventually(lags(350), seconds=30, what="being far behind")
        go_on.set()
        await eventually(lags(0, 0), seconds=30, what="having caught up")


async def test_a_place_past_the_end_of_a_log_that_was_lost_is_left_for_its_beginning(
    stack: Stack, kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_ends, "SECONDS", 1)  # an answer waits behind a fetch, half a second
    seen: set[UUID] = set()

    async def remember(connection: Connection, facts: Sequence[AnyFact]) -> None:
        seen.update(one.event_id for one in facts)

    stack.start("postgres")
    service, app = make(stack, kafka, tmp_path)
    service.consumes(TOPIC, group="slow", handler=remember)
    settings = ServiceSettings.model_validate({**kafka.environment, "KAFKA_PARTITIONS": 2})
    await create_topics(settings, {TOPIC})
    await commit(kafka, "slow", 900)
    facts = [fact() for _ in range(5)]

    async def all_seen() -> bool:
        return {one.event_id for one in facts} <= seen

    async with running(app) as client:
        await ready(client)
        async with transaction(service.pool) as connection:
            await outbox.publish(connection, facts)
        service.wake()
        await eventually(all_seen, seconds=30, what="seeing what was said after the loss")


async def commit(kafka: Kafka, group: str, place: int) -> None:
    """As a member does that has not yet noticed that the log was lost."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap_servers, group_id=group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(TOPIC, number) for number in range(2)]
        consumer.assign(partitions)
        await consumer.commit(dict.fromkeys(partitions, place))
    finally:
        await consumer.stop()
