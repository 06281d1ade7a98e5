"""Codes of the roster and of triage's events in the way in which the network writes them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from shared.events import Needs, ReferralTriaged, TriageFact, Wish
from shared.network import Kind, Network
from shared.vocabulary import Criterion
from shared.web.problems import Fault

F = TypeVar("F", bound=TriageFact)

COMMUNITY_CRITERIA: Final = frozenset({Criterion.CULTURE, Criterion.CULTURE_FAMILIARITY, Criterion.FAITH})

FIELDS: Final[Mapping[str, Kind]] = {
    "region": "regions",
    "telehealth_regions": "regions",
    "payers": "payers",
    "cultures": "communities",
    "culture_familiarity": "communities",
    "faiths": "communities",
}
"""The fields of an entry that hold codes of the network."""


def field_in(network: Network, kind: Kind, name: str, given: Any, faults: list[Fault]) -> Any:
    """One field of an entry. Adds to `faults` what the network does not know of it."""
    if isinstance(given, str):
        return _code(network, kind, name, given, faults)
    found = (_code(network, kind, f"{name}.{place}", each, faults) for place, each in enumerate(given))
    return list(dict.fromkeys(found))


def _code(network: Network, kind: Kind, where: str, given: str, faults: list[Fault]) -> str:
    found = network.find(kind, given)
    if found is None:
        one = "community" if kind == "communities" else kind.removesuffix("s")
        faults.append(Fault(where, network.unknown(kind, given), f"unknown_{one}"))
    return found or given


def facts_in(network: Network, facts: Iterable[F]) -> list[F]:
    """Events of triage in the network's codes. A service with an older network file, or a case from before
    it, may name them as the sender does."""
    return [_fact(network, fact) for fact in facts]


def _fact(network: Network, fact: F) -> F:
    update: dict[str, Any] = {"region": network.canonical("regions", fact.region)}
    if isinstance(fact, ReferralTriaged):
        update["needs"] = needs_in(network, fact.needs)
    return fact.model_copy(update=update)


def needs_in(network: Network, needs: Needs) -> Needs:
    """What the network does not know stays as it is."""
    return needs.model_copy(
        update={
            "payer": network.canonical("payers", needs.payer) if needs.payer else None,
            "wishes": tuple(_wish(network, wish) for wish in needs.wishes),
        }
    )


def _wish(network: Network, wish: Wish) -> Wish:
    if wish.criterion not in COMMUNITY_CRITERIA:
        return wish
    values = dict.fromkeys(network.canonical("communities", value) for value in wish.values)
    return wish.model_copy(update={"values": tuple(values)})
