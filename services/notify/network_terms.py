"""Regions and clinics in the network's own words: as callers give them, as events name them, as they lie in
the database from before the network file said so."""

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from services.notify.api.requests import RecipientForm
from shared.db.postgres import Connection
from shared.events import ReferralFact
from shared.network import NOTHING_CHECKED, Kind, Network
from shared.telemetry import logs
from shared.vocabulary import NETWORK_ROTA
from shared.web.problems import Fault, Problem

log = logs.get(__name__)

F = TypeVar("F", bound=ReferralFact)


def recipient_form(form: RecipientForm, network: Network) -> RecipientForm:
    """Raises `Problem` 422 naming every region and clinic that the network does not know."""
    faults: list[Fault] = []
    regions = [
        said if said == NETWORK_ROTA else _code(network, "regions", said, f"/regions/{n}", faults)
        for n, said in enumerate(form.regions)
    ]
    clinic = _code(network, "clinics", form.clinic, "/clinic", faults) if form.clinic else None
    _refuse(faults)
    return form.model_copy(update={"regions": list(dict.fromkeys(regions)), "clinic": clinic})


def rota_region(said: str, network: Network) -> str:
    """Raises `Problem` 422 for a region that the network does not know."""
    if said == NETWORK_ROTA:
        return said
    faults: list[Fault] = []
    region = _code(network, "regions", said, "path.region", faults)
    hint = f" The rota of whoever is on call for the whole network is `{NETWORK_ROTA}`."
    _refuse([Fault(fault.where, fault.what + hint, fault.code) for fault in faults])
    return region


def _code(network: Network, kind: Kind, said: str, where: str, faults: list[Fault]) -> str:
    found = network.find(kind, said)
    if found is None:
        faults.append(Fault(where, network.unknown(kind, said), f"unknown_{kind.removesuffix('s')}"))
    return found or said


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise Problem(
            422, "invalid", "Nothing was taken. Every problem is listed in `errors`.", faults=faults
        )


def in_network(facts: Iterable[F], network: Network) -> list[F]:
    """With the network's code of each region: a service that runs an older network file may still name it
    in the sender's way."""
    return [_named(fact, network.canonical("regions", fact.region)) for fact in facts]


def _named(fact: F, region: str) -> F:
    return fact if region == fact.region else fact.model_copy(update={"region": region})


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
    return {said: code for said, code in found.items() if said != code}
