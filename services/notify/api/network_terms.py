"""Regions and clinics as callers give them, in the network's own words."""

from services.notify.api.requests import RecipientForm
from shared.network import Kind, Network
from shared.vocabulary import NETWORK_ROTA
from shared.web.problems import Fault, Problem


def recipient_form(form: RecipientForm, network: Network) -> RecipientForm:
    """Raises `Problem` 422 naming every region and clinic that the network does not know."""
    faults: list[Fault] = []
    regions = [
        given if given == NETWORK_ROTA else _code(network, "regions", given, f"/regions/{n}", faults)
        for n, given in enumerate(form.regions)
    ]
    clinic = _code(network, "clinics", form.clinic, "/clinic", faults) if form.clinic else None
    _refuse(faults)
    return form.model_copy(update={"regions": list(dict.fromkeys(regions)), "clinic": clinic})


def rota_region(given: str, network: Network) -> str:
    """Raises `Problem` 422 for a region that the network does not know."""
    if given == NETWORK_ROTA:
        return given
    faults: list[Fault] = []
    region = _code(network, "regions", given, "path.region", faults)
    hint = f" The rota of whoever is on call for the whole network is `{NETWORK_ROTA}`."
    _refuse([Fault(fault.where, fault.what + hint, fault.code) for fault in faults])
    return region


def _code(network: Network, kind: Kind, given: str, where: str, faults: list[Fault]) -> str:
    found = network.find(kind, given)
    if found is None:
        faults.append(Fault(where, network.unknown(kind, given), f"unknown_{kind.removesuffix('s')}"))
    return found or given


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise Problem(
            422, "invalid", "Nothing was taken. Every problem is listed in `errors`.", faults=faults
        )
