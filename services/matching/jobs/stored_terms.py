"""Migrates the roster and the waitlist to the network's codes, where they were stored before the network file
named them. Whoever may be helped by that is tried again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.matching.db import places, stored_terms
from services.matching.db.stored_terms import Codes, StoredEntry, StoredNeeds
from services.matching.network_terms import FIELDS, field_in, needs_in
from shared.db.postgres import Connection
from shared.events import Needs
from shared.network import NOTHING_CHECKED, Kind, Network
from shared.telemetry import logs
from shared.web.problems import Fault

log = logs.get(__name__)


async def migrate_stored_terms(connection: Connection, network: Network) -> None:
    if network == NOTHING_CHECKED:
        return
    if waitlist := _stale(await stored_terms.waitlist_codes(connection), network):
        await _migrate_waitlist(connection, network, waitlist)
    if roster := _stale(await stored_terms.roster_codes(connection), network):
        await _migrate_roster(connection, network, roster)


def _stale(codes: Codes, network: Network) -> Codes | None:
    """Those that the network writes in another way."""

    def renamed(kind: Kind, stored: list[str]) -> list[str]:
        return [code for code in stored if network.canonical(kind, code) != code]

    stale = Codes(
        regions=renamed("regions", codes.regions),
        payers=renamed("payers", codes.payers),
        communities=renamed("communities", codes.communities),
    )
    return stale if stale.regions or stale.payers or stale.communities else None


async def _migrate_waitlist(connection: Connection, network: Network, stale: Codes) -> None:
    rows = await stored_terms.needs_with(connection, stale)
    await stored_terms.save_needs(connection, [_needs(network, row) for row in rows])
    log.info("stored codes renamed", action="network", waiting=len(rows))


def _needs(network: Network, row: StoredNeeds) -> StoredNeeds:
    region = network.canonical("regions", row.region)
    if not row.needs:
        return replace(row, region=region)
    stored = Needs.model_validate({"payer": row.needs["payer"], "wishes": row.needs["wishes"]})
    named = needs_in(network, stored).model_dump(mode="json", include={"payer", "wishes"})
    return replace(row, region=region, needs=row.needs | named)


async def _migrate_roster(connection: Connection, network: Network, stale: Codes) -> None:
    rows = await stored_terms.entries_with(connection, stale)
    await stored_terms.save_entries(connection, [_entry(network, row) for row in rows])
    await places.add_vacancies(connection, [row.therapist_id for row in rows], entry=True)
    log.info("stored codes renamed", action="network", therapists=len(rows))


def _entry(network: Network, row: StoredEntry) -> StoredEntry:
    return replace(row, entry=row.entry | _named(network, row.entry))


def _named(network: Network, entry: Mapping[str, Any]) -> dict[str, Any]:
    """What the network does not know stays as it is: nobody is there to correct it."""
    unknown: list[Fault] = []
    named = {name: field_in(network, kind, name, entry[name], unknown) for name, kind in FIELDS.items()}
    return {name: sorted(value) if isinstance(value, list) else value for name, value in named.items()}
