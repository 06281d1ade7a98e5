"""The relay: sends what the outbox holds after the commit, in order, and marks what Kafka has acknowledged.

One relay per database and lane works at a time, held by an advisory lock, so that events leave in the order
in which they were published. What was not acknowledged is not marked, and is sent again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from aiokafka.errors import KafkaError
from opentelemetry.trace import SpanKind

from shared.backoff import Backoff
from shared.db.postgres import TRANSIENT, Connection, Record
from shared.errors import Transient, code_of
from shared.telemetry import logs, trace
from shared.telemetry.metrics import OUTBOX_SENT, RELAY_LEADS
from shared.vocabulary import Lane

log = logs.get(__name__)

UNSENT: Final = """
    select day, position, event_id, type, topic, key, body, occurred_at, traceparent
    from outbox where sent_at is null and lane = $1 order by position limit $2
"""

MARK: Final = """
    update outbox set sent_at = now()
    from unnest($1::date[], $2::bigint[]) as sent (day, position)
    where outbox.day = sent.day and outbox.position = sent.position
"""

LEAD: Final = "select pg_try_advisory_lock(hashtext($1))"

SEND_SECONDS: Final = 30
BATCH: Final = 1000


def step_of(row: Record) -> trace.Step | None:
    """From being said to being acknowledged by Kafka; None where no trace is recorded."""
    if not trace.is_recorded(row["traceparent"]):
        return None
    about = {"messaging.system": "kafka", "messaging.destination.name": row["topic"]}
    return trace.begin(
        f"send {row['type']}",
        row["traceparent"],
        kind=SpanKind.PRODUCER,
        since=row["occurred_at"],
        about=about,
    )


def headers(row: Record, source: str, step: trace.Step | None = None) -> list[tuple[str, bytes]]:
    """CloudEvents 1.0, Kafka binary mode, and the W3C trace."""
    said = {
        "ce_specversion": "1.0",
        "ce_id": str(row["event_id"]),
        "ce_type": f"careroute.{row['type']}.v1",
        "ce_source": f"/careroute/{source}",
        "ce_time": row["occurred_at"].isoformat(),
        "content-type": "application/json",
    }
    if traceparent := step.traceparent if step else row["traceparent"]:
        said["traceparent"] = traceparent
    return [(name, value.encode()) for name, value in said.items()]


class Producer(Protocol):
    """As much of aiokafka's producer as a relay needs."""

    async def send(
        self, topic: str, *, value: bytes, key: bytes, headers: list[tuple[str, bytes]]
    ) -> asyncio.Future[object]: ...

    async def stop(self) -> None: ...


@dataclass
class Relay:
    """Sends one lane of one database. Every replica runs one; the one that holds the lock works."""

    source: str
    lane: Lane
    connect: Callable[[], Awaitable[Connection]]
    start_producer: Callable[[], Awaitable[Producer]]
    poll_seconds: float = 0.1
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    backoff: Backoff = field(default_factory=lambda: Backoff(0.2, 5))

    async def run(self) -> None:
        """Until cancelled, whatever happens to Kafka or Postgres meanwhile."""
        while True:
            try:
                await self._lead()
            except (Transient, KafkaError, *TRANSIENT) as error:
                self.backoff.failed()
                log.warning(
                    "relay pauses",
                    action="relay",
                    lane=self.lane,
                    error=code_of(error),
                    seconds=self.backoff.pause,
                )
            await asyncio.sleep(self.backoff.pause)

    async def _lead(self) -> None:
        connection = await self.connect()
        try:
            lock = f"careroute:relay:{self.lane}"
            while not await connection.fetchval(LEAD, lock):
                await asyncio.sleep(1)
            producer = await self.start_producer()
            try:
                RELAY_LEADS.labels(self.lane).set(1)
                await self._relay(connection, producer)
            finally:
                RELAY_LEADS.labels(self.lane).set(0)
                await _abandon(producer)
        finally:
            connection.terminate()

    async def _relay(self, connection: Connection, producer: Producer) -> None:
        while True:
            self.woken.clear()
            rows = await connection.fetch(UNSENT, self.lane, BATCH)
            if rows:
                await self._send(connection, producer, rows)
            if len(rows) < BATCH:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self.poll_seconds):
                        await self.woken.wait()

    async def _send(self, connection: Connection, producer: Producer, rows: Sequence[Record]) -> None:
        steps = [step_of(row) for row in rows]
        async with asyncio.timeout(SEND_SECONDS):
            sending = [
                await producer.send(
                    row["topic"],
                    value=row["body"],
                    key=row["key"].encode(),
                    headers=headers(row, self.source, step),
                )
                for row, step in zip(rows, steps, strict=True)
            ]
            outcomes = await asyncio.gather(*sending, return_exceptions=True)
        for step, outcome in zip(steps, outcomes, strict=True):
            if step is not None:
                step.end(type(outcome).__name__ if isinstance(outcome, BaseException) else None)
        sent, failed = in_order(rows, outcomes)
        await connection.execute(MARK, [row["day"] for row in sent], [row["position"] for row in sent])
        OUTBOX_SENT.labels(self.lane).inc(len(sent))
        if failed is not None:
            raise Transient(f"kafka:{type(failed).__name__}") from failed
        self.backoff.succeeded()


def in_order(rows: Sequence[Record], outcomes: Sequence[object]) -> tuple[list[Record], BaseException | None]:
    """The rows that may be marked: acknowledged, and no earlier row of the same key still to go."""
    held: set[tuple[str, str]] = set()
    sent: list[Record] = []
    failed: BaseException | None = None
    for row, outcome in zip(rows, outcomes, strict=True):
        place = (row["topic"], row["key"])
        if isinstance(outcome, BaseException):
            failed = failed or outcome
            held.add(place)
        elif place not in held:
            sent.append(row)
    return sent, failed


async def _abandon(producer: Producer) -> None:
    """A producer that has failed may hold unsent batches for ever; it gets a moment, then it is left."""
    with suppress(Exception):  # whatever it still has to say is in the outbox
        async with asyncio.timeout(5):
            await producer.stop()
