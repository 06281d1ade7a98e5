"""What a service opens on Kafka: topics, subscribers, and producers for its relays and dead letters."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import asyncpg
from faststream.kafka import KafkaBroker

from shared.db import relay
from shared.db.postgres import SERVER_SETTINGS, Connection
from shared.kafka import client as kafka
from shared.kafka import dead_letter_producer, deserialize
from shared.kafka.consumer import Consumer
from shared.settings import ServiceSettings
from shared.vocabulary import Lane


async def make_topics(settings: ServiceSettings, topics: set[str]) -> None:
    """Those that are missing."""
    await kafka.create_topics(settings, topics)


async def open_broker(name: str, settings: ServiceSettings, consumers: Sequence[Consumer]) -> KafkaBroker:
    """Every consumer has joined its group when this returns."""
    broker = kafka.make_broker(name, settings)
    for consumer in consumers:
        _subscribe(broker, consumer)
    try:
        await broker.connect()  # `broker.start` would join one group after the other
        await asyncio.gather(*(subscriber.start() for subscriber in broker.subscribers))
    except BaseException:
        await broker.stop()
        raise
    return broker


def _subscribe(broker: KafkaBroker, consumer: Consumer) -> None:
    subscriber = broker.subscriber(
        consumer.topic,
        group_id=consumer.group,
        auto_offset_reset="earliest",
        batch=True,
        max_records=consumer.max_records,
        batch_timeout_ms=100,
        listener=consumer.generation,
        parser=partial(deserialize.parser, generation=consumer.generation),
        decoder=deserialize.decoder,
    )
    subscriber(_entry(consumer))
    consumer.leave = subscriber.stop
    consumer.reader = partial(getattr, subscriber, "consumer", None)


def _entry(consumer: Consumer) -> Callable[[list[Any]], Awaitable[None]]:
    async def take(batch: list) -> None:  # type: ignore[type-arg]  # bare, or FastStream validates again
        await consumer.take(batch)

    take.__name__ = f"{consumer.group}:{consumer.topic}"
    return take


def make_relay(
    name: str, settings: ServiceSettings, lane: Lane, *, topics: Callable[[], set[str]]
) -> relay.Relay:
    async def connect() -> Connection:
        return await asyncpg.connect(
            settings.database_url.get_secret_value(),
            timeout=10,
            command_timeout=30,
            server_settings=SERVER_SETTINGS,
        )

    async def start_producer() -> relay.Producer:
        await make_topics(settings, topics())  # a broker that came back empty has none
        producer: relay.Producer = await kafka.start_producer(f"{name}-relay-{lane}", settings)
        return producer

    return relay.Relay(name, lane, connect, start_producer)


async def start_dead_letter_producer(name: str, settings: ServiceSettings) -> dead_letter_producer.Producer:
    producer: dead_letter_producer.Producer = await kafka.start_producer(f"{name}-parking", settings)
    return producer
