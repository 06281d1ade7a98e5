"""The SQL of referrals: loading, saving, and the pool that rounds of matching draw from."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.matching.db.json_columns import needs_json
from services.matching.db.referral_rows import COLUMNS, referral_of, triaged_of
from services.matching.domain.offers import Offer, OfferOutcome
from services.matching.domain.referrals import Referral, TriagedReferral, WaitlistEntry
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

# The state as an expression: by the index of the waitlist all of it would be read to find these.
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

MATCH_ANEW: Final = """
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


async def load(connection: Connection, ids: Collection[UUID]) -> dict[UUID, Referral]:
    """Locked, in the order of ids."""
    return {record["id"]: referral_of(record) for record in await connection.fetch(LOAD, list(ids))}


async def read(connection: Connection, referral_id: UUID) -> Referral | None:
    record = await connection.fetchrow(READ, referral_id)
    return referral_of(record) if record else None


async def due(connection: Connection, *, express: bool, now: datetime, limit: int) -> list[TriagedReferral]:
    """The most urgent whose time to be tried has come, locked; those locked by another round are skipped."""
    return [triaged_of(record) for record in await connection.fetch(DUE, express, now, limit)]


async def still_waiting(connection: Connection, ids: Sequence[UUID]) -> list[TriagedReferral]:
    """Locked, once every other round has released them."""
    return [triaged_of(record) for record in await connection.fetch(STILL_WAITING, ids)]


async def pool(connection: Connection, regions: Sequence[str], *, everyone: bool) -> list[UUID]:
    """Who is waitlisted in these regions, most urgent first. Those without an eligible therapist are left out
    unless `everyone`."""
    return [record["id"] for record in await connection.fetch(POOL, regions, everyone)]


async def save(connection: Connection, referrals: Sequence[Referral], *, known: Collection[UUID]) -> None:
    """`known` were loaded, the others are new. Raises `Transient` if one of those has come meanwhile."""
    new = [referral for referral in referrals if referral.id not in known]
    if new and len(await connection.fetch(ADD, *_columns(new))) != len(new):
        raise Transient("matching:came_by_both_lanes_at_once")
    if changed := [referral for referral in referrals if referral.id in known]:
        await connection.execute(CHANGE, *_columns(changed))


def _columns(rows: Sequence[Referral]) -> list[list[Any]]:
    return [[_column(row, name.strip()) for row in rows] for name in _NAMES.split(",")]


def _column(row: Referral, name: str) -> Any:
    value = getattr(row, name)
    return needs_json(row.needs) if name == "needs" and row.needs else value


async def offered(connection: Connection, offers: Sequence[Offer], levels: Mapping[UUID, int]) -> None:
    await connection.execute(
        OFFERED,
        [offer.referral_id for offer in offers],
        [offer.attempt for offer in offers],
        [levels[offer.referral_id] for offer in offers],
        [offer.eligible for offer in offers],
    )


async def waitlisted(connection: Connection, rows: Sequence[WaitlistEntry], *, try_at: datetime) -> None:
    await connection.execute(
        WAITLISTED,
        [row.id for row in rows],
        [row.level for row in rows],
        [row.reason for row in rows],
        [row.eligible for row in rows],
        try_at,
        [json.dumps([asdict(relaxation) for relaxation in row.relaxations]) for row in rows],
    )


async def match_anew(connection: Connection, outcomes: Sequence[OfferOutcome], *, now: datetime) -> None:
    """The therapist of an offer that was declined or expired gets no other offer for this client."""
    await connection.execute(
        MATCH_ANEW,
        [outcome.offer.referral_id for outcome in outcomes],
        now,
        [outcome.offer.therapist_id for outcome in outcomes],
    )


async def set_state(connection: Connection, referral: Referral) -> None:
    await connection.execute(
        SET_STATE,
        referral.id,
        referral.state,
        referral.closed_by,
        referral.closed_reason,
        referral.appointment_at,
    )
