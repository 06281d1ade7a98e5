"""What this network has: regions, payers, communities, clinics, and words of its own for urgency.

A TOML file that all four services read (`CAREROUTE_NETWORK_FILE`). A kind of which the file says nothing is
not checked: every code of it counts as known.
"""

import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from shared.errors import Misconfigured
from shared.vocabulary import NETWORK_ROTA, Code, Priority

Kind = Literal["regions", "payers", "communities", "clinics"]

KINDS: Final[tuple[Kind, ...]] = ("regions", "payers", "communities", "clinics")
_ONE: Final[Mapping[Kind, str]] = {
    "regions": "region",
    "payers": "payer",
    "communities": "community",
    "clinics": "clinic",
}
_LISTED: Final = 50


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("not a time zone of the IANA database, such as America/New_York") from None
    return name


TimeZone = Annotated[str, AfterValidator(_zone)]


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entry(_Checked):
    """`aliases` are what senders write instead of the code."""

    aliases: tuple[str, ...] = ()


class Region(Entry):
    time_zone: TimeZone | None = None


class Network(_Checked):
    """`priorities` are words of this network for a requested priority; `who_diagnosis_codes`: diagnoses may
    be ICD-10 codes of the WHO, which mean something else than ICD-10-CM in places."""

    regions: Mapping[Code, Region] = Field(default_factory=dict)
    payers: Mapping[Code, Entry] = Field(default_factory=dict)
    communities: Mapping[Code, Entry] = Field(default_factory=dict)
    clinics: Mapping[Code, Entry] = Field(default_factory=dict)
    priorities: Mapping[str, Priority] = Field(default_factory=dict)
    who_diagnosis_codes: bool = False

    @field_validator("regions")
    @classmethod
    def _leaves_the_network_its_rota(cls, regions: Mapping[str, Region]) -> Mapping[str, Region]:
        names = {folded(name) for code, region in regions.items() for name in (code, *region.aliases)}
        if NETWORK_ROTA in names:
            raise ValueError(f"`{NETWORK_ROTA}` is the rota of the whole network, no name of a region")
        return regions

    def find(self, kind: Kind, said: str) -> str | None:
        """The network's code for what somebody wrote, forgiving case, spaces and punctuation; None if there
        is no such code, or more than one."""
        entries = self._entries(kind)
        if not entries or said in entries:
            return said
        return self._near[kind].get(folded(said))

    def canonical(self, kind: Kind, said: str) -> str:
        """As `find`; what the network does not know stays as it is."""
        return self.find(kind, said) or said

    def knows(self, kind: Kind, code: str) -> bool:
        entries = self._entries(kind)
        return not entries or code in entries

    def unknown(self, kind: Kind, said: str) -> str:
        """What to say of a code that is not found: which ones are known, and which is close. Never quotes."""
        codes = sorted(self._entries(kind))
        if not codes:
            return "Takes a code: letters, digits, `_`, `.` and `-`, no space, at most 64."
        known = ", ".join(codes[:_LISTED])
        more = f" and {len(codes) - _LISTED} more" if len(codes) > _LISTED else ""
        close = get_close_matches(folded(said), sorted(self._near[kind]), n=1, cutoff=0.75)
        hint = f" Did you mean `{self._near[kind][close[0]]}`?" if close else ""
        return f"The network does not know this {_ONE[kind]}. Known are: {known}{more}.{hint}"

    def _entries(self, kind: Kind) -> Mapping[str, Entry]:
        entries: Mapping[str, Entry] = getattr(self, kind)
        return entries

    def zone(self, region: str, otherwise: str) -> ZoneInfo:
        """The time zone of a region; `otherwise` is the network's."""
        found = self.regions.get(region)
        return ZoneInfo((found.time_zone if found else None) or otherwise)

    @cached_property
    def _near(self) -> dict[str, dict[str, str]]:
        return {kind: _near(self._entries(kind)) for kind in KINDS}


NOTHING_CHECKED: Final = Network()
"""Without a network file every code counts as known."""


def folded(said: str) -> str:
    """Letters and digits alone, without case."""
    plain = unicodedata.normalize("NFKC", said).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def _near(entries: Mapping[str, Entry]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for code, entry in entries.items():
        for name in (code, *entry.aliases):
            found.setdefault(folded(name), set()).add(code)
    return {name: next(iter(codes)) for name, codes in found.items() if name and len(codes) == 1}


def load(path: Path | None) -> Network:
    """Without a file, a network of which nothing is checked. Raises `Misconfigured` naming every wrong
    entry."""
    if path is None:
        return NOTHING_CHECKED
    try:
        return Network.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        wrong: Iterable[str] = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise Misconfigured(f"CAREROUTE_NETWORK_FILE: {path}: {'; '.join(wrong)}") from None
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"CAREROUTE_NETWORK_FILE: {path} cannot be read ({type(error).__name__})"
        ) from None
