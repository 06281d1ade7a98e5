"""The SQL of the waitlist: reading it page by page, and measuring it."""

from datetime import datetime
from typing import Final
from uuid import UUID

from services.matching.db.referral_rows import COLUMNS, triaged_of
from services.matching.domain.referrals import TriagedReferral
from shared.db.postgres import Connection

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


async def page(
    connection: Connection,
    *,
    clinic: str | None,
    region: str | None,
    reason: str | None,
    after: tuple[int, datetime, UUID] | None,
    limit: int,
) -> list[TriagedReferral]:
    """Most urgent and longest waiting first."""
    level, since, last = after or (None, None, None)
    records = await connection.fetch(LIST, clinic, region, reason, level, since, last, limit)
    return [triaged_of(record) for record in records]


async def count_by_reason(connection: Connection) -> dict[str, int]:
    return {record["reason"]: record["waiting"] for record in await connection.fetch(COUNT)}


async def longest_wait(connection: Connection) -> dict[str, float]:
    """Seconds, by urgency."""
    return {record["urgency"]: record["seconds"] for record in await connection.fetch(LONGEST)}
