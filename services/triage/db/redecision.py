"""SQL for deciding again what is stored."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import ValidationError

from services.triage.db import referrals, reviews
from services.triage.db.referrals import Referral
from shared.db.postgres import Connection, Record
from shared.events import Case
from shared.vocabulary import Urgency

OPEN: Final = "state in ('triaged', 'held')"

OLDER: Final = f"""
    select referral_id from referral
    where {OPEN} and (rules_digest is distinct from $1 or $2) and referral_id > $3
    order by referral_id limit $4
"""

LOCK: Final = f"""
    select referral_id from referral
    where referral_id = any($1::uuid[]) and {OPEN} and (rules_digest is distinct from $2 or $3)
    order by referral_id for update
"""

LOAD: Final = f"""
    select referral_id, revision, decision, state, referral.urgency, respond_by, express, region, clinic,
           settled, by_clinician, asks_for, waiting_since, taken_on, rules_digest, {reviews.COLUMNS},
           "case"::text as "case",
           (select array(select jsonb_array_elements_text(fact -> 'team')) from decision
            where decision.referral_id = referral.referral_id and type = 'ReferralTriaged'
            order by decision.decision desc limit 1) as team
    from referral left join review using (referral_id)
    where referral_id = any($1::uuid[])
    order by referral_id
"""

MARK: Final = """
    update referral set rules_digest = $1, asks_for = coalesce(new.asks_for, referral.asks_for)
    from unnest($2::uuid[], $3::text[]) as new (referral_id, asks_for)
    where referral.referral_id = new.referral_id
"""

COUNT: Final = f"""
    select (select count(*) from referral where {OPEN} and rules_digest is null)
         + (select count(*) from referral where {OPEN} and rules_digest < $1)
         + (select count(*) from referral where {OPEN} and rules_digest > $1)
"""
"""Three ranges of one index, so that nothing is read where nothing is older."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Without a case where this version cannot read it. `team_told`: its team as last published, by a version
    that notifies the team."""

    referral: Referral
    team_told: frozenset[str]


async def older(
    connection: Connection, digest: str, *, everyone: bool, after: UUID, limit: int
) -> list[UUID]:
    """Open referrals that these rules were not asked about yet, by id; with `everyone` all open ones."""
    rows = await connection.fetch(OLDER, digest, everyone, after, limit)
    return [row["referral_id"] for row in rows]


async def load(
    connection: Connection, ids: Sequence[UUID], digest: str, *, everyone: bool, lock: bool
) -> list[Stored]:
    """Of these, the ones that are still to be decided again; another may have done so meanwhile."""
    if lock:
        ids = [row["referral_id"] for row in await connection.fetch(LOCK, ids, digest, everyone)]
    return [_stored(row) for row in await connection.fetch(LOAD, ids)]


async def mark(connection: Connection, asked_for: Mapping[UUID, Urgency | None], digest: str) -> None:
    """These were decided again, and nothing is raised."""
    if asked_for:
        await connection.execute(MARK, digest, list(asked_for), list(asked_for.values()))


async def count(connection: Connection, digest: str) -> int:
    """Open referrals that other rules decided."""
    found: int = await connection.fetchval(COUNT, digest)
    return found


def _stored(row: Record) -> Stored:
    state = referrals.from_row(row)
    told: Collection[str] = row["team"] or () if state.rules_digest else ()
    return Stored(referral=Referral(state, _case(row["case"])), team_told=frozenset(told))


def _case(text: str | None) -> Case | None:
    try:
        return Case.model_validate_json(text) if text else None
    except ValidationError:
        return None
