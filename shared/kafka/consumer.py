"""One subscription: batches in, one transaction each, the offset after the commit.

The fate of a batch: `Transient` retries the same batch with back-off; `Permanent` makes a dead letter of the
one event it is about, and the rest go on; any other error stops this consumer, loudly, with its offset
unmoved. What only newer readers know is skipped and counted.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from faststream.exceptions import NackMessage
from opentelemetry.trace import SpanKind

from shared.backoff import Backoff
from shared.db.postgres import Connection, Pool, transaction
from shared.errors import Permanent, Transient
from shared.events import AnyFact, ReferralFact, Topic
from shared.kafka import dead_letters
from shared.kafka.dead_letter_producer import DeadLetterProducer
from shared.kafka.deserialize import Received
from shared.kafka.generation import Generation
from shared.kafka.stall_detector import StallDetector
from shared.telemetry import logs, trace
from shared.telemetry.health import Turning
from shared.telemetry.metrics import (
    BATCH_FACTS,
    BATCH_SECONDS,
    DEAD_LETTERS,
    RETRIES,
    SKIPPED,
    UNKNOWN_VALUES,
)

log = logs.get(__name__)

Handler = Callable[[Connection, Sequence[AnyFact]], Awaitable[None]]

RETRY_FOR_SECONDS: Final = 120
"""Then the batch is handed back, well within Kafka's max.poll.interval of 300 s, and read again."""


async def _nowhere() -> None:
    """Not subscribed yet."""


@dataclass
class Consumer:
    """Takes one topic for one group."""

    topic: Topic
    group: str
    handler: Handler
    max_records: int
    pool: Callable[[], Pool]
    dead_letter_producer: DeadLetterProducer
    done: Callable[[], None]
    turning: Turning
    stall_detector: StallDetector
    max_parked_in_a_row: int
    generation: Generation = field(default_factory=Generation)
    dead_letters_in_a_row: int = 0
    in_hand: int = 0
    in_hand_since: float | None = None
    leave: Callable[[], Coroutine[None, None, None]] = field(default=_nowhere)
    reader: Callable[[], AIOKafkaConsumer | None] = field(default=lambda: None)
    stopping: asyncio.Task[None] | None = None

    async def take(self, batch: list[Received]) -> None:
        """Called by FastStream; returning commits the offsets, `NackMessage` reads the batch again."""
        if self.stopping is not None:
            await asyncio.sleep(0.1)
            raise NackMessage
        self.turning.begin()
        self.stall_detector.note_move()
        started = time.monotonic()
        self.in_hand, self.in_hand_since = len(batch), started
        try:
            await self._take(batch)
        except (NackMessage, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001  a bug, whatever it is, must stop this and lose nothing
            self._stop_loudly(error)
            raise NackMessage from None
        finally:
            self.turning.end()
            self.in_hand, self.in_hand_since = 0, None
        BATCH_SECONDS.labels(self.group).observe(time.monotonic() - started)
        BATCH_FACTS.labels(self.group).observe(len(batch))
        self.done()

    def _stop_loudly(self, error: Exception) -> None:
        """FastStream's own StopConsume cancels the task that stops it and leaves a zombie in the group."""
        self.turning.stopped = type(error).__name__
        log.critical("consumer stopped", action="consume", group=self.group, exc_info=error)
        self.stopping = asyncio.create_task(self.leave())

    async def _take(self, batch: list[Received]) -> None:
        for received in batch:
            if received.fact is not None:
                self.dead_letters_in_a_row = 0
            elif received.skipped is None:
                await self._set_aside(received.record, received.unreadable or "unreadable")
        readable = [received for received in batch if received.fact is not None]
        if readable:
            await self._handle(readable)
        self._count_unknown(batch)

    def _count_unknown(self, batch: Sequence[Received]) -> None:
        """After the rest of the batch is done, or a batch that is tried again would count twice."""
        skipped = [received for received in batch if received.skipped is not None]
        for received in skipped:
            SKIPPED.labels(self.group, self.topic, received.skipped).inc()
        if values := sum(received.unknown_values for received in batch):
            UNKNOWN_VALUES.labels(self.group, self.topic).inc(values)
        if skipped or values:
            log.error(
                "unknown to this version",
                action="skip",
                group=self.group,
                topic=self.topic,
                skipped=len(skipped),
                reasons=sorted({received.skipped or "" for received in skipped}),
                first=dead_letters.origin(skipped[0].record) if skipped else None,
                unknown_values=values,
            )

    async def _handle(self, batch: list[Received]) -> None:
        try:
            await self._retry(lambda: self._once(batch))
        except Permanent as error:
            if len(batch) == 1:
                await self._set_aside(batch[0].record, error.reason)
                return
            for received in batch:  # each alone: the bad one becomes a dead letter, the others go on
                await self._handle([received])
        else:
            if len(batch) == 1:
                self.dead_letters_in_a_row = 0

    async def _once(self, batch: list[Received]) -> None:
        facts = [received.fact for received in batch if received.fact is not None]
        origins = (
            trace.Origin(fact.referral_id, received.traceparent, fact.type)
            for received in batch
            if isinstance(fact := received.fact, ReferralFact)
        )
        about = {"messaging.system": "kafka", "messaging.destination.name": str(self.topic)}
        with trace.steps(f"process {self.group}", origins, kind=SpanKind.CONSUMER, about=about):
            async with transaction(self.pool()) as connection:
                await self.handler(connection, facts)

    async def _set_aside(self, record: ConsumerRecord, reason: str) -> None:
        self.dead_letters_in_a_row += 1
        if self.dead_letters_in_a_row > self.max_parked_in_a_row:
            raise TooManyDeadLetters(f"{self.dead_letters_in_a_row - 1} in a row from {self.topic}")
        await self._retry(lambda: self._send_dead_letter(record, reason))
        DEAD_LETTERS.labels(self.group, reason).inc()
        log.error(
            "parked", action="park", group=self.group, reason=reason, origin=dead_letters.origin(record)
        )

    async def _send_dead_letter(self, record: ConsumerRecord, reason: str) -> None:
        await self.dead_letter_producer.send(
            self.topic.dead(self.group),
            value=record.value or b"",
            key=dead_letters.origin(record).encode(),
            headers=dead_letters.headers(record, reason=reason, handler=self.group),
        )

    async def _retry(self, step: Callable[[], Awaitable[None]]) -> None:
        """Retries with back-off while `step` raises `Transient`; then hands the batch back, before the group
        takes its partitions away."""
        backoff, until = Backoff(0.1, 5), time.monotonic() + RETRY_FOR_SECONDS
        while True:
            try:
                await step()
                return
            except Transient as error:
                RETRIES.labels(self.group).inc()
                pause = backoff.failed()
                self.turning.begin()  # waiting for the world is not being stuck
                log.warning(
                    "will try again", action="retry", group=self.group, reason=error.reason, seconds=pause
                )
                if time.monotonic() > until:
                    raise NackMessage from error
            await asyncio.sleep(pause)


class TooManyDeadLetters(RuntimeError):
    """This many unreadable messages in a row look like a bad deploy, not like bad messages."""
