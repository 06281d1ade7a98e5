"""The SQL that finds and replaces network codes stored in another way than the network file's.

Entries and needs stay JSON here: they may be of any version.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from shared.db.postgres import Connection

ROSTER_CODES: Final = """
    select 'regions' as kind, unnest(reaches) as code from therapist
    union select 'payers', jsonb_array_elements_text(entry -> 'payers') from therapist
    union select 'communities', jsonb_array_elements_text(
        entry -> 'cultures' || (entry -> 'culture_familiarity') || (entry -> 'faiths')) from therapist
"""

ROSTER: Final = """
    select id, entry from therapist
    where reaches && $1::text[] or entry -> 'payers' ?| $2::text[] or entry -> 'cultures' ?| $3::text[]
       or entry -> 'culture_familiarity' ?| $3::text[] or entry -> 'faiths' ?| $3::text[]
    order by id for update
"""

SAVE_ENTRIES: Final = """
    update therapist
    set version = version + 1, entry = new.entry, region = new.entry ->> 'region', changed = this_change(),
        reaches = array(select distinct region from (
            select new.entry ->> 'region' as region
            union all select jsonb_array_elements_text(new.entry -> 'telehealth_regions')) as reached)
    from unnest($1::uuid[], $2::jsonb[]) as new (id, entry)
    where therapist.id = new.id
"""

WAITLIST_CODES: Final = """
    with open as (select region, needs from referral where state <> 'closed')
    select 'regions' as kind, region as code from open
    union select 'payers', needs ->> 'payer' from open where needs ->> 'payer' is not null
    union select 'communities', jsonb_array_elements_text(wish -> 'values')
          from open, jsonb_array_elements(needs -> 'wishes') as wish
          where wish ->> 'criterion' in ('culture', 'culture_familiarity', 'faith')
"""

WAITLIST: Final = """
    select id, region, needs from referral
    where state <> 'closed' and (
        region = any($1::text[]) or needs ->> 'payer' = any($2::text[]) or exists (
            select from jsonb_array_elements(needs -> 'wishes') as wish where wish -> 'values' ?| $3::text[]))
    order by id for update
"""

SAVE_NEEDS: Final = """
    update referral
    set region = new.region, needs = new.needs,
        try_at = case when state = 'waiting' then now() else try_at end
    from unnest($1::uuid[], $2::text[], $3::jsonb[]) as new (id, region, needs)
    where referral.id = new.id
"""


@dataclass(frozen=True, slots=True)
class Codes:
    """Of each kind, such codes as are stored."""

    regions: list[str]
    payers: list[str]
    communities: list[str]


@dataclass(frozen=True, slots=True)
class StoredEntry:
    therapist_id: UUID
    entry: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredNeeds:
    referral_id: UUID
    region: str
    needs: dict[str, Any] | None


async def roster_codes(connection: Connection) -> Codes:
    return await _codes(connection, ROSTER_CODES)


async def waitlist_codes(connection: Connection) -> Codes:
    return await _codes(connection, WAITLIST_CODES)


async def _codes(connection: Connection, statement: str) -> Codes:
    found: dict[str, list[str]] = {"regions": [], "payers": [], "communities": []}
    for row in await connection.fetch(statement):
        found[row["kind"]].append(row["code"])
    return Codes(**found)


async def entries_with(connection: Connection, codes: Codes) -> list[StoredEntry]:
    """Locked."""
    rows = await connection.fetch(ROSTER, codes.regions, codes.payers, codes.communities)
    return [StoredEntry(row["id"], row["entry"]) for row in rows]


async def save_entries(connection: Connection, entries: Sequence[StoredEntry]) -> None:
    await connection.execute(
        SAVE_ENTRIES, [each.therapist_id for each in entries], [each.entry for each in entries]
    )


async def needs_with(connection: Connection, codes: Codes) -> list[StoredNeeds]:
    """Locked."""
    rows = await connection.fetch(WAITLIST, codes.regions, codes.payers, codes.communities)
    return [StoredNeeds(row["id"], row["region"], row["needs"]) for row in rows]


async def save_needs(connection: Connection, needs: Sequence[StoredNeeds]) -> None:
    await connection.execute(
        SAVE_NEEDS,
        [each.referral_id for each in needs],
        [each.region for each in needs],
        [each.needs for each in needs],
    )
