"""The road between the services without Kafka: real relays send, real consumers take what they sent."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import uuid4

import asyncpg
from aiokafka import ConsumerRecord
from pydantic import TypeAdapter

from shared.db import outbox
from shared.db.postgres import Connection, Pool
from shared.db.relay import Relay
from shared.events import READER, AnyFact, Topic
from shared.kafka import deserialize
from shared.kafka.consumer import Consumer, Handler
from shared.kafka.dead_letter_producer import DeadLetterProducer, Producer
from shared.kafka.stall_detector import StallDetector
from shared.telemetry.health import Turning
from shared.vocabulary import Lane
from tests.support import eventually


@dataclass
class Road:
    """What was sent, by topic, in order."""

    records: list[ConsumerRecord] = field(default_factory=list)

    async def send(
        self, topic: str, *, value: bytes, key: bytes, headers: list[tuple[str, bytes]]
    ) -> asyncio.Future[object]:
        offset = len(self.records)
        record = ConsumerRecord(
            topic, 0, offset, 0, 0, key, value, None, len(key), len(value), tuple(headers)
        )
        self.records.append(record)
        sent: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        sent.set_result(None)
        return sent

    async def stop(self) -> None:
        """Nothing is held back."""

    async def start(self) -> "Road":
        return self

    async def relay(self, service: str, pool: Pool, url: str) -> None:
        """Everything that this service has said until now."""

        async def connect() -> Connection:
            return await asyncpg.connect(url)

        async def all_sent() -> bool:
            return not await pool.fetchval(outbox.ANY_UNSENT)

        relays = [Relay(service, lane, connect, self.start) for lane in Lane]
        running = [asyncio.create_task(relay.run()) for relay in relays]
        await eventually(all_sent, what=f"sending what {service} said")
        for task in running:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def give(
        self,
        topic: Topic,
        group: str,
        handler: Handler,
        pool: Pool,
        *,
        reader: TypeAdapter[AnyFact] = READER,
    ) -> None:
        """All of the topic, from its beginning, to this group; what was taken before is passed over by its
        inbox."""
        consumer = Consumer(
            topic=topic,
            group=group,
            handler=handler,
            max_records=100,
            pool=lambda: pool,
            dead_letter_producer=DeadLetterProducer(_never),
            done=lambda: None,
            turning=Turning(60),
            stall_detector=StallDetector(60),
            max_parked_in_a_row=1,
        )
        await consumer.take(
            [deserialize.read(record, reader) for record in self.records if record.topic == topic]
        )
        assert consumer.turning.stopped is None


async def _never() -> Producer:
    raise AssertionError("nothing is parked here")


def incoming() -> str:
    """A caller's own trace."""
    return f"00-{uuid4().hex}-{uuid4().hex[:16]}-01"
