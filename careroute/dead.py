"""What was parked: list it, look at one, send it again to where it came from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.kafka import dead_letters
from shared.kafka.client import client_options
from shared.settings import ServiceSettings


@dataclass(frozen=True)
class Parked:
    """A parked record; `id` is where it stood: `<topic>/<partition>/<offset>` and whose it was."""

    origin: str
    group: str
    reason: str
    parked_at: datetime
    record: ConsumerRecord

    @property
    def id(self) -> str:
        return f"{self.group}:{self.origin}"


async def read_all(settings: ServiceSettings) -> list[Parked]:
    """Everything parked and not yet replayed, oldest first."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        topics = [name for name in await admin.list_topics() if name.endswith(".dead")]
    finally:
        await admin.close()
    if not topics:
        return []
    consumer = AIOKafkaConsumer(**client_options(settings), auto_offset_reset="earliest")
    await consumer.start()
    try:
        records = await _drain(consumer, topics)
    finally:
        await consumer.stop()
    return sorted(standing(records), key=lambda parked: parked.parked_at)


def standing(records: Iterable[ConsumerRecord]) -> list[Parked]:
    """The last word on each origin; a record without headers says that it was replayed."""
    last = {(record.topic, record.key): record for record in records}
    return [_parked(record) for record in last.values() if record.headers]


def _parked(record: ConsumerRecord) -> Parked:
    headers = dict(record.headers)
    return Parked(
        origin=record.key.decode("utf-8", "replace"),
        group=headers[dead_letters.HANDLER].decode(),
        reason=headers[dead_letters.REASON].decode(),
        parked_at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        record=record,
    )


async def _drain(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> list[ConsumerRecord]:
    partitions = [
        TopicPartition(topic, n)
        for topic in topics
        for n in sorted(consumer.partitions_for_topic(topic) or {0})
    ]
    ends = await consumer.end_offsets(partitions)
    begins = await consumer.beginning_offsets(partitions)
    partitions = [one for one in partitions if begins[one] < ends[one]]
    consumer.assign(partitions)
    for one in partitions:
        consumer.seek(one, begins[one])
    records: list[ConsumerRecord] = []
    while any([await consumer.position(one) < ends[one] for one in partitions]):
        for batch in (await consumer.getmany(timeout_ms=500)).values():
            records.extend(batch)
    return records


async def replay(settings: ServiceSettings, parked: Iterable[Parked]) -> int:
    """Send each again to its topic, under its own key; those who have acted on it will not again."""
    producer = AIOKafkaProducer(
        **client_options(settings), acks="all", enable_idempotence=settings.kafka_idempotence
    )
    await producer.start()
    count = 0
    try:
        for one in parked:
            headers = dict(one.record.headers)
            await producer.send_and_wait(
                headers[dead_letters.ORIGIN_TOPIC].decode(),
                value=one.record.value,
                key=bytes.fromhex(headers[dead_letters.ORIGIN_KEY].decode()) or None,
                headers=[
                    (name, value) for name, value in one.record.headers if name not in dead_letters.OURS
                ],
            )
            await producer.send_and_wait(one.record.topic, value=b"", key=one.record.key)
            count += 1
    finally:
        await producer.stop()
    return count
