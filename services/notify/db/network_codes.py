"""Regions and clinics as they were stored before the network file named them."""

from collections.abc import Iterable, Mapping
from typing import Final

from shared.db.postgres import Connection
from shared.network import NOTHING_CHECKED, Kind, Network
from shared.telemetry import logs

log = logs.get(__name__)

REGIONS: Final = """
    select region from duty union select unnest(regions) from recipient
    union select region from notice where unaddressed
    union select notice.region from notice join alert on alert.notice_id = notice.id
          where alert.acknowledged_at is null
"""

CLINICS: Final = "select distinct clinic from recipient where clinic is not null"

RENAME: Final = (
    """
    update duty set region = new.code from unnest($1::text[], $2::text[]) as new (said, code)
    where region = new.said
    """,
    """
    update recipient
    set regions = array(select distinct coalesce(new.code, region)
                        from unnest(regions) as region
                        left join unnest($1::text[], $2::text[]) as new (said, code) on new.said = region
                        order by 1)
    where regions && $1::text[]
    """,
    """
    update notice set region = new.code from unnest($1::text[], $2::text[]) as new (said, code)
    where region = new.said
      and (unaddressed or id in (select notice_id from alert where acknowledged_at is null))
    """,
)

RENAME_CLINICS: Final = """
    update recipient set clinic = new.code from unnest($1::text[], $2::text[]) as new (said, code)
    where clinic = new.said
"""


async def put_in_order(connection: Connection, network: Network) -> None:
    """Rotas, recipients and open notices as they were stored before the network file named their regions."""
    if network == NOTHING_CHECKED:
        return
    regions = _renamed(network, "regions", [row[0] for row in await connection.fetch(REGIONS)])
    clinics = _renamed(network, "clinics", [row[0] for row in await connection.fetch(CLINICS)])
    if regions:
        for statement in RENAME:
            await connection.execute(statement, list(regions), list(regions.values()))
    if clinics:
        await connection.execute(RENAME_CLINICS, list(clinics), list(clinics.values()))
    if regions or clinics:
        log.info("stored codes renamed", action="network", regions=len(regions), clinics=len(clinics))


def _renamed(network: Network, kind: Kind, stored: Iterable[str]) -> Mapping[str, str]:
    found = {code: network.canonical(kind, code) for code in stored}
    return {stored: code for stored, code in found.items() if stored != code}
