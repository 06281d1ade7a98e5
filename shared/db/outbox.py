"""Announcing: a fact is written beside the state it tells of, and a relay sends it after the commit.

There is one relay per database and lane, held by an advisory lock, so that facts leave in the order in
which they were said. What was not acknowledged by Kafka is not marked, and is sent again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

import asyncpg
from aiokafka.errors import KafkaError
from opentelemetry.trace import SpanKind

from shared.db.postgres import TRANSIENT, Connection, Record
from shared.errors import Transient, code_of
from shared.events import Fact, ReferralFact
from shared.telemetry import logs, trace
from shared.telemetry.metrics import OUTBOX_SENT, RELAY_LEADS
from shared.vocabulary import Lane

log = logs.get(__name__)

PUBLISH: Final = """
    insert into outbox (event_id, type, lane, topic, key, body, occurred_at, traceparent)
    select event_id, type, lane, topic, key, body, occurred_at, traceparent
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[],
                $7::timestamptz[], $8::text[])
         with ordinality as fact (event_id, type, lane, topic, key, body, occurred_at, traceparent, place)
    order by place
"""

UNSENT: Final = """
    select day, position, event_id, type, topic, key, body, occurred_at, traceparent
    from outbox where sent_at is null and lane = $1 order by position limit $2
"""

MARK: Final = """
    update outbox set sent_at = now()
    from unnest($1::date[], $2::bigint[]) as sent (day, position)
    where outbox.day = sent.day and outbox.position = sent.position
"""

UNSEND: Final = """
    update outbox set sent_at = null where sent_at is not null and occurred_at >= $1
"""

ANY_UNSENT: Final = "select exists (select from outbox where sent_at is null)"

DEPTH: Final = """
    select lane, count(*) as depth, coalesce(extract(epoch from now() - min(occurred_at)), 0)::float8 as age
    from outbox where sent_at is null group by lane
"""

LEAD: Final = "select pg_try_advisory_lock(hashtext($1))"

SEND_SECONDS: Final = 30
BATCH: Final = 1000


async def publish(connection: Connection, facts: Sequence[Fact]) -> None:
    """Say these, in this order, if and when the caller's transaction commits."""
    if facts:
        await connection.execute(
            PUBLISH,
            [fact.event_id for fact in facts],
            [fact.type for fact in facts],
            [fact.lane for fact in facts],
            [fact.topic for fact in facts],
            [fact.key for fact in facts],
            [fact.model_dump_json().encode() for fact in facts],
            [fact.occurred_at for fact in facts],
            [trace.cause_of(fact.referral_id if isinstance(fact, ReferralFact) else None) for fact in facts],
        )


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
    _pause: float = 0

    async def run(self) -> None:
        """Until cancelled, whatever happens to Kafka or Postgres meanwhile."""
        while True:
            try:
                await self._lead()
            except (Transient, KafkaError, *TRANSIENT) as error:
                self._pause = min(max(self._pause * 2, 0.2), 5)
                log.warning(
                    "relay pauses",
                    action="relay",
                    lane=self.lane,
                    error=code_of(error),
                    seconds=self._pause,
                )
            await asyncio.sleep(self._pause)

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
        self._pause = 0


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


PARTITION_AHEAD: Final = """
    select format('create table if not exists outbox_%s partition of outbox for values from (%L) to (%L)',
                  to_char(day, 'YYYYMMDD'), day, day + 1)
    from generate_series((now() at time zone 'utc')::date, (now() at time zone 'utc')::date + 7,
                         interval '1 day') as series (at), date(at) as day
"""

PARTITIONS: Final = """
    select child.relname as name, to_date(right(child.relname, 8), 'YYYYMMDD') as day
    from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = 'outbox'::regclass and child.relname ~ '^outbox_[0-9]{8}$'
"""


async def keep_partitions(connection: Connection, *, days: int) -> list[str]:
    """Make the coming week's partitions, drop those past `days` with all sent; return the dropped.

    One at a time: `create table if not exists` fails where another replica is making the same table.
    """
    await connection.execute("select pg_advisory_xact_lock(hashtext('careroute:partitions'))")
    for (statement,) in await connection.fetch(PARTITION_AHEAD):
        with suppress(asyncpg.CheckViolationError):  # rows of that day already went to the default partition
            async with connection.transaction():
                await connection.execute(statement)
    today = await connection.fetchval("select (now() at time zone 'utc')::date")
    dropped = []
    for row in await connection.fetch(PARTITIONS):
        name = row["name"]
        if (today - row["day"]).days > days and not await connection.fetchval(
            f"select exists (select from {name} where sent_at is null)"
        ):
            await connection.execute(f"drop table {name}")
            dropped.append(name)
    return dropped
