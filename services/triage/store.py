"""Triage's SQL. Every function works inside the transaction its caller opened."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter

from services.triage.standing import Review, Standing
from shared.events import Case, FiredRule, IntakeFact, TriageFact
from shared.postgres import Connection, Record
from shared.vocabulary import Urgency

REASONS: Final = TypeAdapter(tuple[FiredRule, ...])

TAKE_PLACES: Final = """
    insert into referral (referral_id, region, clinic, state)
    select distinct on (referral_id) referral_id, region, clinic, 'new'
    from unnest($1::uuid[], $2::text[], $3::text[]) as new (referral_id, region, clinic)
    order by referral_id
    on conflict do nothing
"""

LOAD: Final = """
    select referral_id, revision, decision, state, referral.urgency, respond_by, express, region, clinic,
           settled, by_clinician,
           review.urgency as review_urgency, review_by, holds, reasons, opened_at
    from referral left join review using (referral_id)
    where referral_id = any($1::uuid[])
    order by referral_id
    for update of referral
"""

CASE: Final = 'select "case" from referral where referral_id = $1'

SAVE: Final = """
    update referral
    set revision = new.revision, decision = new.decision, state = new.state, urgency = new.urgency,
        respond_by = new.respond_by, express = new.express, region = new.region, clinic = new.clinic,
        "case" = coalesce(new."case"::jsonb, referral."case"), settled = new.settled::jsonb,
        by_clinician = new.by_clinician, changed_at = now()
    from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::text[], $6::timestamptz[], $7::bool[],
                $8::text[], $9::text[], $10::text[], $11::text[], $12::bool[])
         as new (referral_id, revision, decision, state, urgency, respond_by, express, region, clinic, "case",
                 settled, by_clinician)
    where referral.referral_id = new.referral_id
"""

OPEN_REVIEWS: Final = """
    insert into review (referral_id, urgency, review_by, holds, reasons, opened_at)
    select referral_id, urgency, review_by, holds, reasons::jsonb, opened_at
    from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bool[], $5::text[], $6::timestamptz[])
         as new (referral_id, urgency, review_by, holds, reasons, opened_at)
    on conflict (referral_id) do update
    set urgency = excluded.urgency, review_by = excluded.review_by, holds = excluded.holds,
        reasons = excluded.reasons
"""

CLOSE_REVIEWS: Final = "delete from review where referral_id = any($1::uuid[])"

RECORD: Final = """
    insert into decision (referral_id, decision, type, said_at, fact)
    select referral_id, decision, type, said_at, fact::jsonb
    from unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[], $5::text[])
         as new (referral_id, decision, type, said_at, fact)
"""

HISTORY: Final = "select fact from decision where referral_id = $1 order by decision"

WAITING: Final = """
    select referral_id, decision, revision, state, referral.urgency, region, clinic, express, respond_by,
           review.review_by, holds, reasons, opened_at
    from review join referral using (referral_id)
    where (review_by, referral_id) > ($1, $2)
    order by review_by, referral_id
    limit $3
"""

COUNT_REVIEWS: Final = """
    select urgency, count(*) as open, count(*) filter (where review_by < now()) as overdue
    from review group by urgency
"""


async def load(connection: Connection, facts: Sequence[IntakeFact]) -> dict[UUID, Standing]:
    """How each referral stands, locked until the transaction ends, also those never heard of before.
    Without the case: a new fact brings the whole of it."""
    ids = [fact.referral_id for fact in facts]
    regions, clinics = [fact.region for fact in facts], [fact.clinic for fact in facts]
    await connection.execute(TAKE_PLACES, ids, regions, clinics)
    return {row["referral_id"]: _standing(row) for row in await connection.fetch(LOAD, ids)}


async def load_one(connection: Connection, referral_id: UUID) -> Standing | None:
    """Locked, and with its case; None when triage has decided nothing about it."""
    row = await connection.fetchrow(LOAD, [referral_id])
    if row is None or not row["decision"]:
        return None
    case = await connection.fetchval(CASE, referral_id)
    return replace(_standing(row), case=Case.model_validate(case) if case else None)


async def save(connection: Connection, standings: Collection[Standing]) -> None:
    rows = [_row(standing) for standing in standings]
    if not rows:
        return
    await connection.execute(SAVE, *map(list, zip(*rows, strict=True)))
    await connection.execute(CLOSE_REVIEWS, [s.referral_id for s in standings if s.review is None])
    reviews = [_review_row(s.referral_id, s.review) for s in standings if s.review is not None]
    if reviews:
        await connection.execute(OPEN_REVIEWS, *map(list, zip(*reviews, strict=True)))


async def record(connection: Connection, said: Sequence[TriageFact]) -> None:
    """The history of decisions: what was said, as it was said."""
    if said:
        await connection.execute(
            RECORD,
            [fact.referral_id for fact in said],
            [fact.decision for fact in said],
            [fact.type for fact in said],
            [fact.occurred_at for fact in said],
            [fact.model_dump_json() for fact in said],
        )


async def history(connection: Connection, referral_id: UUID) -> list[dict[str, Any]]:
    return [row["fact"] for row in await connection.fetch(HISTORY, referral_id)]


async def waiting(
    connection: Connection, *, after: tuple[datetime, UUID], limit: int
) -> list[dict[str, Any]]:
    """Open reviews past a place in the queue, the earliest deadline first."""
    return [dict(row) for row in await connection.fetch(WAITING, *after, limit)]


async def count_reviews(connection: Connection) -> dict[str, tuple[int, int]]:
    """By urgency, how many are open and how many of those are past their time."""
    rows = await connection.fetch(COUNT_REVIEWS)
    return {row["urgency"]: (row["open"], row["overdue"]) for row in rows}


def _row(standing: Standing) -> tuple[object, ...]:
    return (
        standing.referral_id,
        standing.revision,
        standing.decision,
        standing.state,
        standing.urgency,
        standing.respond_by,
        standing.express,
        standing.region,
        standing.clinic,
        standing.case.model_dump_json() if standing.case else None,
        json.dumps(sorted(standing.settled)),
        standing.by_clinician,
    )


def _review_row(referral_id: UUID, review: Review) -> tuple[object, ...]:
    reasons = REASONS.dump_json(review.reasons).decode()
    return referral_id, review.urgency, review.review_by, review.holds, reasons, review.opened_at


def _standing(row: Record) -> Standing:
    return Standing(
        referral_id=row["referral_id"],
        region=row["region"],
        clinic=row["clinic"],
        revision=row["revision"],
        decision=row["decision"],
        state=row["state"],
        urgency=Urgency(row["urgency"]) if row["urgency"] else None,
        respond_by=row["respond_by"],
        express=row["express"],
        by_clinician=row["by_clinician"],
        settled=frozenset(_marks(row["settled"])),
        review=_review(row) if row["review_by"] else None,
    )


def _marks(settled: Iterable[Sequence[str]]) -> Iterable[tuple[str, str, str]]:
    return ((rule, datum, on) for rule, datum, on in settled)


def _review(row: Record) -> Review:
    return Review(
        urgency=Urgency(row["review_urgency"]),
        review_by=row["review_by"],
        holds=row["holds"],
        reasons=REASONS.validate_python(row["reasons"]),
        opened_at=row["opened_at"],
    )
