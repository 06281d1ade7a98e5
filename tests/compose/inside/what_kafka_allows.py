"""Run in notify's container: what its user may do on Kafka. Prints JSON."""

import asyncio
import json

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from shared.events import Topic
from shared.kafka.client import client_options, create_topics, start_producer
from shared.settings import ServiceSettings

OWN = ServiceSettings.load()


async def read(topic: str) -> None:
    async with AIOKafkaConsumer(topic, **client_options(OWN), auto_offset_reset="earliest") as consumer:
        await consumer.getmany(timeout_ms=3000)


async def join(topic: str, group: str) -> None:
    async with AIOKafkaConsumer(topic, **client_options(OWN), group_id=group):
        pass


async def write(topic: str) -> None:
    producer = await start_producer("test", OWN)
    try:
        await producer.send_and_wait(topic, b"not ours to say")
    finally:
        await producer.stop()


TRIED = {
    "read whom it follows": read(Topic.TRIAGE_DECISIONS),
    "read whom it does not follow": read(Topic.INTAKE_REFERRALS),
    "join another's group": join(Topic.TRIAGE_DECISIONS, "matching"),
    "speak for another": write(Topic.INTAKE_REFERRALS),
    "make a topic of its own choice": create_topics(OWN, {"something.else"}),
}


async def main() -> None:
    found = {}
    for name, attempt in TRIED.items():
        try:
            async with asyncio.timeout(20):
                await attempt
            found[name] = "done"
        except (KafkaError, TimeoutError) as error:
            found[name] = type(error).__name__
    print(json.dumps(found))


asyncio.run(main())
