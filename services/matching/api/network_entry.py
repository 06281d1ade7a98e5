"""A therapist's entry in the network's codes."""

from services.matching.api.therapist_models import TherapistEntry
from services.matching.network_terms import FIELDS, field_in
from shared.network import Network
from shared.web.problems import Fault, Problem


def entry_in(network: Network, entry: TherapistEntry) -> tuple[TherapistEntry, list[Fault]]:
    """The entry in the network's codes, and what the network does not know of it."""
    faults: list[Fault] = []
    update = {
        name: field_in(network, kind, name, getattr(entry, name), faults) for name, kind in FIELDS.items()
    }
    return entry.model_copy(update=update), faults


def checked_in(network: Network, entry: TherapistEntry) -> TherapistEntry:
    """Raises `Problem` 422 naming every code that the network does not know."""
    named, unknown = entry_in(network, entry)
    if unknown:
        faults = [Fault(f"/{fault.where.replace('.', '/')}", fault.what, fault.code) for fault in unknown]
        detail = "Nothing was taken. Every problem is listed in `errors`."
        raise Problem(422, "invalid", detail, faults=faults)
    return named
