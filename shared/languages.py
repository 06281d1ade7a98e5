"""Language tags: the form in which they are kept, and what two sides compare.

RFC 5646 with the IANA registry, then CLDR's aliases; `langcodes` brings both as data. Its `Language.get` is
not used, since it caches every tag without a bound. Nothing is guessed: `yue` is not `cmn`, `ckb` not `kmr`.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from langcodes.data_dicts import (
    LANGUAGE_ALPHA3,
    LANGUAGE_ALPHA3_BIBLIOGRAPHIC,
    LANGUAGE_REPLACEMENTS,
    NORMALIZED_MACROLANGUAGES,
)
from langcodes.registry_parser import parse_registry

LONGEST: Final = 100
"""Characters of a tag, or of a language's name."""

_TAG: Final = re.compile(
    r"(?P<language>[a-z]{2,3})(-(?P<script>[a-z]{4}))?(-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)(-[a-z0-9](-[a-z0-9]{1,8})+)*"
)


@dataclass(frozen=True, slots=True)
class Language:
    """`tag` is canonical by RFC 5646, with script and region. `spoken` is what two sides compare. `is_group`:
    the code covers several languages, such as `zh` or `sgn`."""

    tag: str
    spoken: str
    is_group: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tables:
    """`prefixes` holds the language that an extended one stands after; `aliases` are CLDR's for codes that
    the registry keeps apart."""

    languages: frozenset[str]
    groups: frozenset[str]
    prefixes: Mapping[str, str]
    replacements: Mapping[str, str]
    aliases: Mapping[str, str]
    names: Mapping[str, str]


def _tables() -> _Tables:
    records = list(parse_registry())  # type: ignore[no-untyped-call]  # has no annotations
    languages = {
        record["Subtag"]: record
        for record in records
        if record["Type"] == "language" and record.get("Scope") not in ("special", "private-use")
    }
    groups = {c for c, each in languages.items() if each.get("Scope") in ("macrolanguage", "collection")}
    current = {code for code, each in languages.items() if "Deprecated" not in each}
    preferred = {
        str(record.get("Subtag") or record["Tag"]).lower(): str(record["Preferred-Value"]).lower()
        for record in records
        if record["Type"] in ("language", "grandfathered", "redundant") and "Preferred-Value" in record
    }
    names = [
        (name.casefold(), code)
        for code in sorted(current)
        for name in languages[code]["Description"]
        if len(code) == 2 or name.endswith(" Sign Language")
    ]
    count = Counter(name for name, _ in names)
    return _Tables(
        languages=frozenset(languages),
        groups=frozenset(groups),
        prefixes={each["Subtag"]: each["Prefix"][0] for each in records if each["Type"] == "extlang"},
        # CLDR writes `-x-` where it only marks an old tag.
        replacements={
            code: tag.lower()
            for code, tag in LANGUAGE_REPLACEMENTS.items()
            if code not in current and "-x-" not in tag
        }
        | {overlong: code for code, overlong in LANGUAGE_ALPHA3.items() if len(code) == 2}
        | {overlong: code for code, overlong in LANGUAGE_ALPHA3_BIBLIOGRAPHIC.items()}
        | preferred,
        aliases={
            code: tag.partition("-")[0] for code, tag in LANGUAGE_REPLACEMENTS.items() if code in current
        }
        | _members(groups),
        names={name: code for name, code in names if count[name] == 1},
    )


def _members(groups: set[str]) -> dict[str, str]:
    """The one member of a macrolanguage for which CLDR writes the macrolanguage itself: `pes` is `fa`, `cmn`
    is `zh`. Where it does so for several (`emk` and `mnk`), each stays what it is."""
    members = Counter(NORMALIZED_MACROLANGUAGES.values())
    return {
        code: group
        for code, group in NORMALIZED_MACROLANGUAGES.items()
        if members[group] == 1 and group in groups and code not in groups
    }


_KNOWN: Final = _tables()


@lru_cache(maxsize=4096)
def language(text: str) -> Language | None:
    """The language that a tag names, or an English name of the registry; case and underscores are forgiven.
    None for what names no language (`zxx`, `mul`, `qaa`) and for what is not registered."""
    if len(text) > LONGEST:
        return None
    given = text.strip().lower()
    return _named(given.replace("_", "-")) or _named(_KNOWN.names.get(given.casefold(), ""))


def canonical(text: str) -> str | None:
    found = language(text)
    return found.tag if found else None


def spoken(text: str) -> str | None:
    found = language(text)
    return found.spoken if found else None


def _named(tag: str) -> Language | None:
    parts = _TAG.fullmatch(_replaced(tag))
    if parts is None or parts["language"] not in _KNOWN.languages:
        return None
    code, script, region = parts["language"], parts["script"], parts["region"]
    kept = [code, script and script.title(), region and region.upper()]
    alone = _KNOWN.aliases.get(code, code)
    # The sign languages of two countries are two languages, also where the registry names neither.
    of_a_country = code == "sgn" and region
    return Language(
        tag="-".join(filter(None, kept)) + parts["variants"],
        spoken=f"{alone}-{region.upper()}" if of_a_country else alone,
        is_group=code in _KNOWN.groups and not of_a_country,
    )


def _replaced(tag: str) -> str:
    """Overlong, bibliographic, deprecated and extended forms give way to the preferred one."""
    parts = tag.split("-")
    for length in range(len(parts), 0, -1):
        new = _KNOWN.replacements.get("-".join(parts[:length]))
        if new is not None:
            return _replaced("-".join([new, *parts[length:]]))
    if len(parts) > 1 and _KNOWN.prefixes.get(parts[1]) == parts[0]:
        return _replaced("-".join(parts[1:]))
    return tag
