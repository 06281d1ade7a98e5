"""The SQL of referrals: where each stands, who is due, who waits and why."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.matching.db.referral_rows import COLUMNS, Referral, Wait, referral_of
from services.matching.domain.state import By, State
from shared.db.postgres import Connection
from shared.errors import Transient

LOAD: Final = f"select {COLUMNS} from referral where id = any($1::uuid[]) order by id for update"

READ: Final = f"select {COLUMNS} from referral where id = $1"

DUE: Final = f"""
    select {COLUMNS} from referral
    where state = 'waiting' and express = $1 and try_at <= $2
    order by level desc, try_at limit $3
    for update skip locked
"""

# The state as an expression: by the index of those who wait all of them would be read to find these.
STILL_WAITING: Final = f"""
    select {COLUMNS} from referral
    where id = any($1::uuid[]) and state || '' = 'waiting' order by id for update
"""

POOL: Final = """
    select id from referral
    where state = 'waiting' and region = any($1::text[])
      and ($2 or reason is distinct from 'no_eligible_therapist')
    order by level desc, waiting_since, id
"""


_NAMES: Final = """
    id, clinic, region, revision, decision, state, held, closed_by, closed_reason, express, urgency,
    waiting_since, target, needs, level, try_at, reason, traceparent
"""

_UNNEST: Final = """
    unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::int[], $6::text[], $7::boolean[],
           $8::text[], $9::text[], $10::boolean[], $11::text[], $12::timestamptz[], $13::interval[],
           $14::jsonb[], $15::smallint[], $16::timestamptz[], $17::text[], $18::text[])
"""

ADD: Final = f"""
    insert into referral ({_NAMES}) select {_NAMES} from {_UNNEST} as new ({_NAMES})
    on conflict do nothing returning id
"""

CHANGE: Final = f"""
    update referral
    set clinic = new.clinic, region = new.region, revision = new.revision, decision = new.decision,
        state = new.state, held = new.held, closed_by = new.closed_by, closed_reason = new.closed_reason,
        express = new.express, urgency = new.urgency, waiting_since = new.waiting_since,
        target = new.target, needs = new.needs, level = new.level, try_at = new.try_at,
        reason = new.reason, traceparent = new.traceparent
    from {_UNNEST} as new ({_NAMES})
    where referral.id = new.id
"""

OFFERED: Final = """
    update referral
    set state = 'offered', attempt = new.attempt, level = new.level, reason = null, relaxations = null,
        eligible = new.eligible
    from unnest($1::uuid[], $2::int[], $3::smallint[], $4::int[]) as new (id, attempt, level, eligible)
    where referral.id = new.id
"""

WAITLISTED: Final = """
    update referral
    set level = new.level, try_at = $5, eligible = new.eligible,
        relaxations = case when referral.reason is distinct from new.reason then new.relaxations::jsonb
                           else referral.relaxations end,
        reason = new.reason
    from unnest($1::uuid[], $2::smallint[], $3::text[], $4::int[], $6::text[])
         as new (id, level, reason, eligible, relaxations)
    where referral.id = new.id
"""

WAIT_AGAIN: Final = """
    update referral
    set state = case when held then 'held' else 'waiting' end, try_at = $2, reason = null,
        relaxations = null, appointment_at = null, declined = declined || new.therapist_id
    from unnest($1::uuid[], $3::uuid[]) as new (id, therapist_id)
    where referral.id = new.id
"""

SET_STATE: Final = """
    update referral
    set state = $2, closed_by = $3, closed_reason = $4, appointment_at = coalesce($5, appointment_at)
    where id = $1
"""

LIST: Final = f"""
    select {COLUMNS} from referral
    where state in ('waiting', 'held') and needs is not null
      and ($1::text is null or clinic = $1) and ($2::text is null or region = $2)
      and ($3::text is null or reason = $3)
      and ($4::smallint is null or (-level, waiting_since, id) > (-$4, $5::timestamptz, $6::uuid))
    order by -level, waiting_since, id limit $7
"""


COUNT: Final = """
    select coalesce(reason, 'to_be_matched') as reason, count(*) as waiting
    from referral where state = 'waiting' group by 1
"""

LONGEST: Final = """
    select urgency, extract(epoch from now() - min(waiting_since))::float8 as seconds
    from referral where state in ('waiting', 'held') and needs is not null group by urgency
"""


async def load(connection: Connection, ids: Collection[UUID]) -> dict[UUID, Referral]:
    """Locked, in the order of ids."""
    return {record["id"]: referral_of(record) for record in await connection.fetch(LOAD, list(ids))}


async def read(connection: Connection, referral_id: UUID) -> Referral | None:
    record = await connection.fetchrow(READ, referral_id)
    return referral_of(record) if record else None


async def due(connection: Connection, *, express: bool, now: datetime, limit: int) -> list[Referral]:
    """The most urgent whose time to be tried has come, locked; those another round has are passed over."""
    return [referral_of(record) for record in await connection.fetch(DUE, express, now, limit)]


async def still_waiting(connection: Connection, ids: Sequence[UUID]) -> list[Referral]:
    """Locked, once every other round has let go of them."""
    return [referral_of(record) for record in await connection.fetch(STILL_WAITING, ids)]


async def pool(connection: Connection, regions: Sequence[str], *, everyone: bool) -> list[UUID]:
    """Who waits in these regions, most urgent first; without those nobody may see unless `everyone`."""
    return [record["id"] for record in await connection.fetch(POOL, regions, everyone)]


async def save(connection: Connection, referrals: Sequence[Referral], *, known: Collection[UUID]) -> None:
    """`known` were loaded, the others are new. Raises `Transient` if one of those has come meanwhile."""
    new = [referral for referral in referrals if referral.id not in known]
    if new and len(await connection.fetch(ADD, *_columns(new))) != len(new):
        raise Transient("matching:came_by_both_lanes_at_once")
    if changed := [referral for referral in referrals if referral.id in known]:
        await connection.execute(CHANGE, *_columns(changed))


def _columns(rows: Sequence[Referral]) -> list[list[Any]]:
    return [[getattr(row, name.strip()) for row in rows] for name in _NAMES.split(",")]


async def offered(connection: Connection, rows: Sequence[tuple[UUID, int, int, int]]) -> None:
    """Referral, attempt, level, how many were eligible."""
    await connection.execute(OFFERED, *(list(column) for column in zip(*rows, strict=True)))


async def waitlisted(connection: Connection, waits: Sequence[Wait], *, try_at: datetime) -> None:
    await connection.execute(
        WAITLISTED,
        [wait.id for wait in waits],
        [wait.level for wait in waits],
        [wait.reason for wait in waits],
        [wait.eligible for wait in waits],
        try_at,
        [json.dumps(wait.relaxations) for wait in waits],
    )


async def wait_again(connection: Connection, declined: Sequence[tuple[UUID, UUID]], *, now: datetime) -> None:
    """Referral and the therapist who is not to be asked for it again."""
    await connection.execute(WAIT_AGAIN, [r for r, _ in declined], now, [t for _, t in declined])


async def set_state(
    connection: Connection,
    referral_id: UUID,
    state: State,
    *,
    closed_by: By | None = None,
    reason: str | None = None,
    appointment_at: datetime | None = None,
) -> None:
    await connection.execute(SET_STATE, referral_id, state, closed_by, reason, appointment_at)


async def page(
    connection: Connection,
    *,
    clinic: str | None,
    region: str | None,
    reason: str | None,
    after: tuple[int, datetime, UUID] | None,
    limit: int,
) -> list[Referral]:
    """Who waits, most urgent and longest waiting first."""
    level, since, last = after or (None, None, None)
    records = await connection.fetch(LIST, clinic, region, reason, level, since, last, limit)
    return [referral_of(record) for record in records]


async def count_by_reason(connection: Connection) -> dict[str, int]:
    return {record["reason"]: record["waiting"] for record in await connection.fetch(COUNT)}


async def longest_wait(connection: Connection) -> dict[str, float]:
    """Seconds, by urgency."""
    return {record["urgency"]: record["seconds"] for record in await connection.fetch(LONGEST)}
