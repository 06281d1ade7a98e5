"""Triage's SQL. Every function works inside the transaction its caller opened."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.triage.db import reviews
from services.triage.domain.basis import Basis
from services.triage.domain.state import TriageState
from shared.db.postgres import Connection, Record
from shared.events import Case, IntakeFact, TriageFact
from shared.vocabulary import Urgency

INSERT_NEW: Final = """
    insert into referral (referral_id, region, clinic, state)
    select distinct on (referral_id) referral_id, region, clinic, 'new'
    from unnest($1::uuid[], $2::text[], $3::text[]) as new (referral_id, region, clinic)
    order by referral_id
    on conflict do nothing
"""

LOCK: Final = """
    select from referral where referral_id = any($1::uuid[]) order by referral_id for update
"""

LOAD: Final = f"""
    select referral_id, revision, decision, state, referral.urgency, respond_by, express, region, clinic,
           settled, by_clinician, asks_for, waiting_since, taken_on, rules_digest, {reviews.COLUMNS}
    from referral left join review using (referral_id)
    where referral_id = any($1::uuid[])
"""

DUE: Final = """
    select referral_id from referral
    where referral_id in (select referral_id from review where due_at <= $1 order by due_at limit $2)
    order by referral_id
    for update skip locked
"""

WAITED: Final = """
    select waited.referral_id
    from unnest($1::text[], $2::timestamptz[]) as rule (urgency, since) cross join lateral (
        select referral_id, waiting_since from referral
        where referral.urgency = rule.urgency and state = 'triaged' and not taken_on
          and waiting_since <= rule.since
          and not exists (select from review where review.referral_id = referral.referral_id)
        order by waiting_since limit $3
        for update skip locked) as waited
    order by waited.waiting_since limit $3
"""

TAKEN_ON: Final = """
    update referral set taken_on = new.taken_on
    from unnest($1::uuid[], $2::bool[]) as new (referral_id, taken_on)
    where referral.referral_id = new.referral_id and referral.taken_on <> new.taken_on
"""

CASE: Final = 'select "case" from referral where referral_id = $1'

SAVE: Final = """
    update referral
    set revision = new.revision, decision = new.decision, state = new.state, urgency = new.urgency,
        respond_by = new.respond_by, express = new.express, region = new.region, clinic = new.clinic,
        "case" = coalesce(new."case"::jsonb, referral."case"), settled = new.settled::jsonb,
        by_clinician = new.by_clinician, asks_for = new.asks_for, waiting_since = new.waiting_since,
        taken_on = new.taken_on, rules_digest = new.rules_digest, changed_at = now()
    from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::text[], $6::timestamptz[], $7::bool[],
                $8::text[], $9::text[], $10::text[], $11::text[], $12::bool[], $13::text[],
                $14::timestamptz[], $15::bool[], $16::text[])
         as new (referral_id, revision, decision, state, urgency, respond_by, express, region, clinic, "case",
                 settled, by_clinician, asks_for, waiting_since, taken_on, rules_digest)
    where referral.referral_id = new.referral_id
"""

RECORD: Final = """
    insert into decision (referral_id, decision, type, said_at, fact, policy, policy_version, rules,
                          rules_digest)
    select referral_id, decision, type, said_at, fact::jsonb, policy, policy_version,
           case when policy is not null then string_to_array(rules, ' ') end, rules_digest
    from unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[],
                $8::text[], $9::text[])
         as new (referral_id, decision, type, said_at, fact, policy, policy_version, rules, rules_digest)
"""

HISTORY: Final = "select fact from decision where referral_id = $1 order by decision"


@dataclass(frozen=True, slots=True)
class Referral:
    """`case` is None where it was not loaded; saving keeps the stored one then."""

    state: TriageState
    case: Case | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is saved at once: the referral as decided, and the events that are published of it. `basis` is set
    where rules decided."""

    referral: Referral
    events: tuple[TriageFact, ...] = ()
    basis: Basis | None = None


async def load(connection: Connection, events: Sequence[IntakeFact]) -> dict[UUID, Referral]:
    """Each referral, locked until the transaction ends, also of those that are new. Without the
    case: a new event brings the whole of it."""
    ids = [event.referral_id for event in events]
    regions, clinics = [event.region for event in events], [event.clinic for event in events]
    await connection.execute(INSERT_NEW, ids, regions, clinics)
    await lock(connection, ids)
    return {row["referral_id"]: Referral(from_row(row)) for row in await connection.fetch(LOAD, ids)}


async def lock(connection: Connection, ids: Sequence[UUID]) -> None:
    """Apart from reading, which then sees what whoever held the lock before has written."""
    await connection.execute(LOCK, ids)


async def load_one(connection: Connection, referral_id: UUID) -> Referral | None:
    """Locked, and with its case; None when triage has decided nothing about it."""
    await lock(connection, [referral_id])
    row = await connection.fetchrow(LOAD, [referral_id])
    if row is None or not row["decision"]:
        return None
    case = await connection.fetchval(CASE, referral_id)
    return Referral(from_row(row), Case.model_validate(case) if case else None)


async def load_due(connection: Connection, *, now: datetime, limit: int) -> list[TriageState]:
    """Whose review is due, locked, without their case; those that another replica holds are left to it."""
    ids = [row["referral_id"] for row in await connection.fetch(DUE, now, limit)]
    return [from_row(row) for row in await connection.fetch(LOAD, ids)] if ids else []


async def load_waited(
    connection: Connection, since: Mapping[Urgency, datetime], *, limit: int
) -> list[TriageState]:
    """Who has waited since then or longer and has no open review, by urgency; as `load_due`."""
    found = await connection.fetch(WAITED, list(since), list(since.values()), limit)
    ids = [row["referral_id"] for row in found]
    return [from_row(row) for row in await connection.fetch(LOAD, ids)] if ids else []


async def save_taken_on(connection: Connection, known: Mapping[UUID, bool]) -> None:
    if known:
        await lock(connection, list(known))
        await connection.execute(TAKEN_ON, list(known), list(known.values()))


async def save(connection: Connection, decisions: Sequence[Decision]) -> None:
    """Of several decisions on one referral the last one is its state; all of them are its history."""
    last = {decision.referral.state.referral_id: decision.referral for decision in decisions}
    if not last:
        return
    rows = [_row(referral) for referral in last.values()]
    await connection.execute(SAVE, *map(list, zip(*rows, strict=True)))
    await reviews.save(connection, {id_: referral.state.review for id_, referral in last.items()})
    await _record(connection, decisions)


async def _record(connection: Connection, decisions: Sequence[Decision]) -> None:
    """The history: every event as it was published, and the rules it was decided by."""
    rows = [(event, decision.basis) for decision in decisions for event in decision.events]
    if rows:
        await connection.execute(
            RECORD,
            [event.referral_id for event, _ in rows],
            [event.decision for event, _ in rows],
            [event.type for event, _ in rows],
            [event.occurred_at for event, _ in rows],
            [event.model_dump_json() for event, _ in rows],
            [basis.policy if basis else None for _, basis in rows],
            [basis.version if basis else None for _, basis in rows],
            [" ".join(basis.rules) if basis else None for _, basis in rows],
            [basis.digest if basis else None for _, basis in rows],
        )


async def history(connection: Connection, referral_id: UUID) -> list[dict[str, Any]]:
    return [row["fact"] for row in await connection.fetch(HISTORY, referral_id)]


def _row(referral: Referral) -> tuple[object, ...]:
    state, case = referral.state, referral.case
    return (
        state.referral_id,
        state.revision,
        state.decision,
        state.status,
        state.urgency,
        state.respond_by,
        state.express,
        state.region,
        state.clinic,
        case.model_dump_json() if case else None,
        json.dumps(sorted(state.settled)),
        state.by_clinician,
        state.asks_for,
        state.waiting_since,
        state.taken_on,
        state.rules_digest,
    )


def from_row(row: Record) -> TriageState:
    return TriageState(
        referral_id=row["referral_id"],
        region=row["region"],
        clinic=row["clinic"],
        revision=row["revision"],
        decision=row["decision"],
        status=row["state"],
        urgency=Urgency(row["urgency"]) if row["urgency"] else None,
        respond_by=row["respond_by"],
        express=row["express"],
        by_clinician=row["by_clinician"],
        settled=frozenset(_marks(row["settled"])),
        review=reviews.from_row(row),
        asks_for=Urgency(row["asks_for"]) if row["asks_for"] else None,
        waiting_since=row["waiting_since"],
        taken_on=row["taken_on"],
        rules_digest=row["rules_digest"],
    )


def _marks(settled: Iterable[Sequence[str]]) -> Iterable[tuple[str, str, str]]:
    return ((rule, datum, on) for rule, datum, on in settled)
