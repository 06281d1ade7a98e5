"""What this network has: regions, payers, communities, clinics, and words of its own for urgency.

A TOML file that all four services read (`CAREROUTE_NETWORK_FILE`). A kind of which the file says nothing is
not checked: every code of it counts as known.
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from shared.errors import Misconfigured
from shared.events import Code
from shared.vocabulary import Priority

Kind = Literal["regions", "payers", "communities", "clinics"]

NETWORK_ROTA: Final = "network"
"""The rota of whoever is on call where a region has none of its own that anybody knows."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError):
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

    def find(self, kind: Kind, said: str) -> str | None:
        """The network's code for what somebody wrote, forgiving case, spaces and punctuation; None if there
        is no such code, or more than one."""
        entries: Mapping[str, Entry] = getattr(self, kind)
        if not entries or said in entries:
            return said
        return self._near[kind].get(folded(said))

    def knows(self, kind: Kind, code: str) -> bool:
        entries: Mapping[str, Entry] = getattr(self, kind)
        return not entries or code in entries

    def zone(self, region: str, otherwise: str) -> ZoneInfo:
        """The time zone of a region; `otherwise` is the network's."""
        found = self.regions.get(region)
        return ZoneInfo((found.time_zone if found else None) or otherwise)

    @cached_property
    def _near(self) -> dict[str, dict[str, str]]:
        kinds = ("regions", "payers", "communities", "clinics")
        return {kind: _near(getattr(self, kind)) for kind in kinds}


def folded(said: str) -> str:
    """Letters and digits alone, without case."""
    return "".join(letter for letter in said.casefold() if letter.isalnum())


def _near(entries: Mapping[str, Entry]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for code, entry in entries.items():
        for name in (code, *entry.aliases):
            found.setdefault(folded(name), set()).add(code)
    return {name: next(iter(codes)) for name, codes in found.items() if len(codes) == 1}


def load(path: Path | None) -> Network:
    """Without a file, a network of which nothing is checked. Raises `Misconfigured` naming every wrong
    entry."""
    if path is None:
        return Network()
    try:
        return Network.model_validate(tomllib.loads(path.read_text()))
    except ValidationError as error:
        wrong: Iterable[str] = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise Misconfigured(f"CAREROUTE_NETWORK_FILE: {path}: {'; '.join(wrong)}") from None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(
            f"CAREROUTE_NETWORK_FILE: {path} cannot be read ({type(error).__name__})"
        ) from None
