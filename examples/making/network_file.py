"""What the example network has, as the services read it: regions, payers, communities, clinics."""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from examples.making.places import CLINICS, REGIONS
from examples.making.therapists import therapists

HEAD: Final = """\
# What the example network has: the value of CAREROUTE_NETWORK_FILE for `careroute demo` and `careroute up`.
# A code written in other case, with spaces or other punctuation is understood, as are its `aliases`. What is
# neither is taken with a warning and put before a coordinator; a rota, a roster entry or a token for it is
# refused. A kind that is left out is not checked.
"""

PAYERS: Final[Mapping[str, tuple[str, ...]]] = {
    "commons_care": (),
    "guild_health": (),
    "harbor_mutual": (),
    "public_plan": ("public insurance",),
    "self_pay": ("cash", "out of pocket"),
    "veterans_fund": (),
}
COMMUNITY_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "lgbtq": ("lgbt", "lgbtqia", "lgbtqia+"),
    "latino": ("latina", "latinx", "latine"),
    "veteran": ("veterans",),
}


def network_file() -> str:
    """The content of `network.toml`."""
    regions = {region.code: (region.name,) for region in REGIONS}
    communities = {code: COMMUNITY_ALIASES.get(code, ()) for code in _communities()}
    clinics = {clinic.code: (clinic.name,) for clinic in CLINICS}
    return "\n".join(
        [
            HEAD,
            *_section("regions", regions),
            *_section("payers", PAYERS),
            *_section("communities", communities),
            *_section("clinics", clinics),
        ]
    )


def _communities() -> list[str]:
    """Everything that a therapist of the roster states about cultures and faiths."""
    columns = ("cultures", "culture_familiarity", "faiths")
    return sorted({code for row in therapists() for name in columns for code in row[name].split(";") if code})


def _section(kind: str, entries: Mapping[str, Iterable[str]]) -> list[str]:
    lines = [f"[{kind}]"]
    for code, aliases in entries.items():
        names = ", ".join(json.dumps(alias) for alias in aliases)
        lines.append(f"{code} = {{ aliases = [{names}] }}" if names else f"{code} = {{}}")
    return [*lines, ""]
