"""SQL for reviews: the queue, and who has claimed what of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from services.triage.domain.claim import Claim
from services.triage.domain.reasons import Reason
from services.triage.domain.state import Asked, Review, Status
from shared.db.postgres import Connection, Record
from shared.vocabulary import Urgency

REASONS: Final = TypeAdapter(tuple[Reason, ...])
ASKED: Final = TypeAdapter(Asked)

COLUMNS: Final = """
    review.urgency as review_urgency, review_by, holds, reasons, opened_at, claimed_by, claimed_until,
    due_at, overdue_at, asked
"""

_STORED: Final = """
    referral_id, urgency, review_by, holds, reasons, opened_at, claimed_by, claimed_until, due_at, overdue_at,
    asked
"""

OPEN: Final = f"""
    insert into review ({_STORED})
    select {_STORED.replace("reasons", "reasons::jsonb").replace("asked", "asked::jsonb")}
    from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bool[], $5::text[], $6::timestamptz[],
                $7::text[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::text[])
         as new ({_STORED})
    on conflict (referral_id) do update
    set urgency = excluded.urgency, review_by = excluded.review_by, holds = excluded.holds,
        reasons = excluded.reasons, claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until,
        due_at = excluded.due_at, overdue_at = excluded.overdue_at, asked = excluded.asked
"""

CLOSE: Final = "delete from review where referral_id = any($1::uuid[])"

ONE: Final = f"select {COLUMNS} from review where referral_id = $1"

CLAIM: Final = "update review set claimed_by = $2, claimed_until = $3 where referral_id = $1"

QUEUE: Final = """
    select referral_id, decision, revision, state, referral.urgency, region, clinic, express, respond_by,
           review.review_by, holds, reasons, opened_at,
           case when claimed_until > $3 then claimed_by end as claimed_by,
           case when claimed_until > $3 then claimed_until end as claimed_until, asked
    from review join referral using (referral_id)
    where (review_by, referral_id) > ($1, $2)
      and ($4::bool is null or coalesce(claimed_until > $3, false) = $4)
      and ($5::bool is null or (asked is not null) = $5)
    order by review_by, referral_id
    limit $6
"""

COUNT: Final = """
    select urgency, count(*) as open, count(*) filter (where review_by < now() and asked is null) as overdue,
           count(*) filter (where claimed_until > now()) as claimed,
           count(*) filter (where asked is not null) as asked
    from review group by urgency
"""


async def save(connection: Connection, reviews: Mapping[UUID, Review | None]) -> None:
    """Those that are None are closed."""
    await connection.execute(CLOSE, [id_ for id_, review in reviews.items() if review is None])
    rows = [_row(id_, review) for id_, review in reviews.items() if review is not None]
    if rows:
        await connection.execute(OPEN, *map(list, zip(*rows, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedReview:
    """An open review and its referral. A claim that has ended is none."""

    referral_id: UUID
    decision: int
    revision: int
    state: Status
    urgency: Urgency
    region: str
    clinic: str
    express: bool
    respond_by: datetime
    review_by: datetime
    holds: bool
    reasons: tuple[Reason, ...]
    opened_at: datetime
    claimed_by: str | None
    claimed_until: datetime | None
    asked: Asked | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Open reviews, and of those the ones that are overdue, claimed, or wait for the referrer."""

    open: int = 0
    overdue: int = 0
    claimed: int = 0
    asked: int = 0


QUEUED: Final = TypeAdapter(list[QueuedReview])


async def load(connection: Connection, referral_id: UUID) -> Review | None:
    row = await connection.fetchrow(ONE, referral_id)
    return from_row(row) if row else None


async def save_claim(connection: Connection, referral_id: UUID, claim: Claim | None) -> None:
    by, until = (claim.by, claim.until) if claim else (None, None)
    await connection.execute(CLAIM, referral_id, by, until)


async def queue(
    connection: Connection,
    *,
    after: tuple[datetime, UUID],
    claimed: bool | None,
    asked: bool | None,
    now: datetime,
    limit: int,
) -> list[QueuedReview]:
    """Open reviews past a place in the queue, the earliest deadline first."""
    rows = await connection.fetch(QUEUE, *after, now, claimed, asked, limit)
    return QUEUED.validate_python([dict(row) for row in rows])


async def count(connection: Connection) -> dict[Urgency, Counts]:
    rows = [dict(row) for row in await connection.fetch(COUNT)]
    return {Urgency(row.pop("urgency")): Counts(**row) for row in rows}


def from_row(row: Record) -> Review | None:
    """None where a referral has no review."""
    if row["review_by"] is None:
        return None
    return Review(
        urgency=Urgency(row["review_urgency"]),
        review_by=row["review_by"],
        holds=row["holds"],
        reasons=REASONS.validate_python(row["reasons"]),
        opened_at=row["opened_at"],
        claim=Claim(row["claimed_by"], row["claimed_until"]) if row["claimed_by"] else None,
        due_at=row["due_at"],
        overdue_at=row["overdue_at"],
        asked=ASKED.validate_python(row["asked"]) if row["asked"] else None,
    )


def _row(referral_id: UUID, review: Review) -> tuple[object, ...]:
    return (
        referral_id,
        review.urgency,
        review.review_by,
        review.holds,
        REASONS.dump_json(review.reasons).decode(),
        review.opened_at,
        review.claim.by if review.claim else None,
        review.claim.until if review.claim else None,
        review.due_at,
        review.overdue_at,
        ASKED.dump_json(review.asked).decode() if review.asked else None,
    )
