"""SQL for deliveries: leasing those that are due, and recording what became of them.

Leasing walks the index from host to host, so that ten thousand waiting for one host cost no more than its
share of places. No transaction is open while a request is under way: a leased delivery is simply not due
again until its lease has ended.

`lateral`, `offset 0` and a state compared as an expression hold Postgres to one look per row, by its key.
From statistics of a quieter time it expects few to be waiting, and would read all of them for each row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.notify.domain.batch import Delivery
from services.notify.domain.deliveries import Attempt, DueDelivery, Later
from shared.db.postgres import Connection, Record
from shared.vocabulary import Lane, Urgency

INSERT: Final = """
    insert into delivery (id, notice_id, recipient, channel, step, lane, line, first_at, next_attempt_at)
    select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::smallint[], $5::integer[], $6::text[],
                         $7::text[], $8::timestamptz[], $9::timestamptz[])
         as new (id, notice_id, recipient, channel, step, lane, line, first_at, next_attempt_at)
    where not exists (
        select from (select * from delivery where notice_id = new.notice_id offset 0) as old
        where old.recipient = new.recipient and old.channel = new.channel and old.state = 'waiting')
    on conflict (notice_id, recipient, step, channel) do nothing
"""

LEASE: Final = """
    with recursive line (name) as (
        (select line from delivery where lane = $1 and state = 'waiting' order by line limit 1)
        union all
        select (select line from delivery
                where lane = $1 and state = 'waiting' and line > name order by line limit 1)
        from line where name is not null
    ), due as (
        select first.id, first.next_attempt_at
        from line left join unnest($4::text[], $5::integer[]) as known (line, room) on known.line = line.name
        cross join lateral (
            select id, next_attempt_at from delivery
            where lane = $1 and state = 'waiting' and delivery.line = line.name and next_attempt_at <= $2
            order by next_attempt_at limit coalesce(known.room, $6)) as first
        order by first.next_attempt_at limit $3
    ), mine as (
        select locked.id from due cross join lateral (
            select id from delivery d
            where d.id = due.id and d.state || '' = 'waiting' and d.next_attempt_at <= $2
            for update skip locked) as locked
    ), leased as (
        update delivery set attempts = attempts + 1, next_attempt_at = $2 + $7::interval, outcome = null
        where id = any(array(select id from mine))
        returning *
    )
    select leased.id, leased.notice_id, leased.recipient, leased.channel, leased.step, leased.line as host,
           leased.attempts, leased.first_at, due.next_attempt_at as due_at,
           notice.about, notice.audience, notice.referral_id, notice.revision, notice.clinic, notice.region,
           notice.urgency, notice.title, notice.text, notice.respond_by, notice.occurred_at, notice.is_alert,
           notice.answers, notice.traceparent,
           recipient.active, channel.kind, channel.url, channel.secret,
           (select count(*) from channel c where c.recipient = leased.recipient) as channels
    from leased
         join due on due.id = leased.id
         join notice on notice.id = leased.notice_id
         join recipient on recipient.id = leased.recipient
         left join channel on channel.recipient = leased.recipient and channel.position = leased.channel
    order by leased.first_at
"""

PUT_BACK: Final = """
    update delivery set attempts = delivery.attempts - 1, next_attempt_at = unsent.due_at
    from unnest($1::uuid[], $2::integer[], $3::timestamptz[]) as unsent (id, attempts, due_at)
    where delivery.id = unsent.id and delivery.attempts = unsent.attempts and state || '' = 'waiting'
"""

DELIVERED: Final = """
    update delivery set state = 'delivered', failing = false, delivered_at = $2, outcome = done.outcome
    from unnest($1::uuid[], $3::text[]) as done (id, outcome)
    where delivery.id = done.id and state <> 'delivered'
    returning delivery.id
"""

RETRY: Final = """
    update delivery
    set next_attempt_at = later.at, failing = later.failing, outcome = later.outcome,
        channel = coalesce(channel.position, delivery.channel), line = coalesce(channel.line, delivery.line)
    from unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::boolean[], $5::text[], $6::smallint[],
                $7::text[]) as later (id, attempts, at, failing, outcome, channel, recipient)
         left join channel on channel.recipient = later.recipient and channel.position = later.channel
    where delivery.id = later.id and delivery.attempts = later.attempts and state || '' = 'waiting'
"""

GIVEN_UP: Final = """
    update delivery set state = 'undeliverable', failing = true, outcome = done.outcome
    from unnest($1::uuid[], $2::text[]) as done (id, outcome)
    where delivery.id = done.id and state || '' = 'waiting'
    returning delivery.id
"""

OF_NOTICE: Final = """
    select id, recipient, channel, step, state, attempts, outcome, first_at, delivered_at, next_attempt_at
    from delivery where notice_id = $1 order by step, first_at, id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelivery:
    """`outcome` is of the last attempt."""

    id: UUID
    recipient: str
    channel: int
    step: int
    state: str
    attempts: int
    outcome: str | None
    first_at: datetime
    delivered_at: datetime | None
    next_attempt_at: datetime


async def insert(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Except what is still on its way to the same recipient by the same channel."""
    if deliveries:
        await connection.execute(
            INSERT,
            [d.id for d in deliveries],
            [d.notice_id for d in deliveries],
            [d.recipient for d in deliveries],
            [d.channel for d in deliveries],
            [d.step for d in deliveries],
            [d.lane for d in deliveries],
            [d.host for d in deliveries],
            [d.first_at for d in deliveries],
            [d.due_at for d in deliveries],
        )


async def lease(
    connection: Connection,
    lane: Lane,
    *,
    now: datetime,
    limit: int,
    room: dict[str, int],
    at_once: int,
    duration: timedelta,
) -> list[DueDelivery]:
    """Up to `limit` that are due, per host no more than its `room` (else `at_once`), each to one process."""
    rows = await connection.fetch(LEASE, lane, now, limit, list(room), list(room.values()), at_once, duration)
    return [_due(row) for row in rows]


async def put_back(connection: Connection, unsent: Sequence[DueDelivery]) -> None:
    """As if they had not been leased."""
    if unsent:
        await connection.execute(
            PUT_BACK,
            [one.id for one in unsent],
            [one.attempts for one in unsent],
            [one.due_at for one in unsent],
        )


async def delivered(connection: Connection, attempts: Sequence[Attempt], *, now: datetime) -> list[Attempt]:
    """Those that were not known to be delivered before."""
    if not attempts:
        return []
    rows = await connection.fetch(
        DELIVERED, [one.delivery.id for one in attempts], now, [one.outcome.code for one in attempts]
    )
    return _among(attempts, rows)


async def retry(connection: Connection, later: Sequence[Later]) -> None:
    if later:
        attempts = [one.attempt for one in later]
        await connection.execute(
            RETRY,
            [one.delivery.id for one in attempts],
            [one.delivery.attempts for one in attempts],
            [one.retry.at for one in later],
            [one.retry.failing for one in later],
            [one.outcome.code for one in attempts],
            [one.delivery.next_channel for one in attempts],
            [one.delivery.recipient for one in attempts],
        )


async def give_up(connection: Connection, attempts: Sequence[Attempt]) -> list[Attempt]:
    """Those given up now."""
    if not attempts:
        return []
    rows = await connection.fetch(
        GIVEN_UP, [one.delivery.id for one in attempts], [one.outcome.code for one in attempts]
    )
    return _among(attempts, rows)


async def of_notice(connection: Connection, notice_id: UUID) -> list[StoredDelivery]:
    return [StoredDelivery(**dict(row)) for row in await connection.fetch(OF_NOTICE, notice_id)]


def _among(attempts: Sequence[Attempt], rows: Sequence[Record]) -> list[Attempt]:
    ids = {row["id"] for row in rows}
    return [attempt for attempt in attempts if attempt.delivery.id in ids]


def _due(row: Record) -> DueDelivery:
    values: dict[str, Any] = dict(row)
    return DueDelivery(**values | {"urgency": Urgency(row["urgency"]) if row["urgency"] else None})
