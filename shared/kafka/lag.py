"""How far behind a consumer is and whether it has stalled, asked of Kafka from outside its work."""

from collections.abc import Sequence
from contextlib import suppress

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import ConsumerStoppedError, KafkaError

from shared.kafka import log_ends
from shared.kafka.consumer import Consumer
from shared.telemetry import logs
from shared.telemetry.metrics import LAG, PARTITIONS, STILL_SECONDS

log = logs.get(__name__)


def lacks_topic(consumer: Consumer) -> bool:
    """By what it was last told of the cluster; False while it is not connected."""
    reader = consumer.reader()
    return reader is not None and not reader.partitions_for_topic(consumer.topic)


async def look(consumer: Consumer) -> None:
    """Sets its gauges. Where Kafka does not answer, the last known lag stands."""
    reader = consumer.reader()
    if reader is None or consumer.stopping is not None:
        consumer.stall_detector.note_unknown()  # it has been stopped, which its health says
    else:
        PARTITIONS.labels(consumer.group, consumer.topic).set(len(reader.assignment()))
        with suppress(KafkaError, ConsumerStoppedError, TimeoutError):
            await _measure(consumer, reader)
    STILL_SECONDS.labels(consumer.group, consumer.topic).set(consumer.stall_detector.seconds)


async def _measure(consumer: Consumer, reader: AIOKafkaConsumer) -> None:
    try:
        ends = await log_ends.find(reader)
    except BaseException:
        consumer.stall_detector.note_unknown()
        raise
    try:
        behind = await _behind(consumer, reader, ends)
    except (KafkaError, TimeoutError):  # Kafka answers, and it has no place to read from
        consumer.stall_detector.note_stall()
        raise
    LAG.labels(consumer.group, consumer.topic).set(behind)
    if consumer.in_hand or (consumer.generation.settled and not behind):
        consumer.stall_detector.note_move()
    else:
        consumer.stall_detector.note_stall()


async def _behind(consumer: Consumer, reader: AIOKafkaConsumer, ends: log_ends.Ends) -> int:
    """A log that was lost and begins anew is read from its beginning."""
    if lost := await log_ends.begun_anew(reader):
        log.error("a log begins anew", action="consume", group=consumer.group, topic=consumer.topic)
        await log_ends.go_back(reader, lost)
    return await log_ends.behind(reader, ends) + consumer.in_hand


def any_stalled(consumers: Sequence[Consumer]) -> bool:
    """Whether the process must end so that another one reads on; says which."""
    found = [one for one in consumers if one.stall_detector.is_stalled]
    for one in found:
        seconds = round(one.stall_detector.seconds)
        log.critical(
            "consumer stalled: ends this process",
            action="consume",
            group=one.group,
            topic=one.topic,
            seconds=seconds,
        )
    return bool(found)
