"""The roster and the waitlist as they were stored before the network file named their codes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.matching.db import places
from services.matching.network_terms import FIELDS, field_in, needs_in
from shared.db.postgres import Connection
from shared.events import Needs
from shared.network import NOTHING_CHECKED, Kind, Network
from shared.telemetry import logs
from shared.web.problems import Fault

log = logs.get(__name__)

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

PUT_ENTRIES: Final = """
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

PUT_NEEDS: Final = """
    update referral
    set region = new.region, needs = new.needs,
        try_at = case when state = 'waiting' then now() else try_at end
    from unnest($1::uuid[], $2::text[], $3::jsonb[]) as new (id, region, needs)
    where referral.id = new.id
"""


async def put_in_order(connection: Connection, network: Network) -> None:
    """The roster and those who wait, as they were stored before the network file named its codes. Whoever
    may be helped by that is tried again."""
    if network == NOTHING_CHECKED:
        return
    if waiting := await _stale(connection, WAITLIST_CODES, network):
        await _waitlist(connection, network, waiting)
    if stated := await _stale(connection, ROSTER_CODES, network):
        await _roster(connection, network, stated)


async def _stale(connection: Connection, statement: str, network: Network) -> list[list[str]] | None:
    """Of regions, payers and communities those that are written in another way than the network's."""
    kinds: tuple[Kind, ...] = ("regions", "payers", "communities")
    rows = await connection.fetch(statement)
    stale = [
        [
            row["code"]
            for row in rows
            if row["kind"] == kind and network.canonical(kind, row["code"]) != row["code"]
        ]
        for kind in kinds
    ]
    return stale if any(stale) else None


async def _waitlist(connection: Connection, network: Network, stale: Sequence[list[str]]) -> None:
    rows = await connection.fetch(WAITLIST, *stale)
    await connection.execute(
        PUT_NEEDS,
        [row["id"] for row in rows],
        [network.canonical("regions", row["region"]) for row in rows],
        [row["needs"] and row["needs"] | _stored_needs(network, row["needs"]) for row in rows],
    )
    log.info("stored codes renamed", action="network", waiting=len(rows))


def _stored_needs(network: Network, needs: Mapping[str, Any]) -> dict[str, Any]:
    named = needs_in(network, Needs.model_validate({"payer": needs["payer"], "wishes": needs["wishes"]}))
    return named.model_dump(mode="json", include={"payer", "wishes"})


async def _roster(connection: Connection, network: Network, stale: Sequence[list[str]]) -> None:
    rows = await connection.fetch(ROSTER, *stale)
    entries = [row["entry"] | _stored_entry(network, row["entry"]) for row in rows]
    await connection.execute(PUT_ENTRIES, [row["id"] for row in rows], entries)
    await places.vacancies(connection, [row["id"] for row in rows], entry=True)
    log.info("stored codes renamed", action="network", therapists=len(rows))


def _stored_entry(network: Network, entry: Mapping[str, Any]) -> dict[str, Any]:
    unknown: list[Fault] = []  # stays as it is, since nobody is there to mend it
    named = {name: field_in(network, kind, name, entry[name], unknown) for name, kind in FIELDS.items()}
    return {name: sorted(value) if isinstance(value, list) else value for name, value in named.items()}
