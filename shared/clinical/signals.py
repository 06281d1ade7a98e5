"""Which diagnoses ask for a person: ICD-10-CM codes matched against the patterns of `diagnoses.toml`."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from typing import Any, Final, Literal

from shared.instruments import Status
from shared.vocabulary import Urgency

Encounter = Literal["any", "initial", "subsequent", "sequela", "not_sequela"]

CATEGORY: Final = 3
FIFTH: Final = 4
SIXTH: Final = 5
SEVENTH: Final = 6
PLACEHOLDER: Final = "X"
RANGE: Final = re.compile(r"(?P<first>\w{3})-(?P<last>\w{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What a diagnosis may say, by which codes, and how soon somebody must look at the latest."""

    id: str
    meaning: str
    level: Urgency
    express: bool
    examples: tuple[str, ...]
    source: str
    status: Status
    codes: tuple[str, ...] = ()
    exactly: tuple[str, ...] = ()
    who_codes: tuple[str, ...] = ()
    intent: str | None = None
    encounter: Encounter = "any"


@dataclass(frozen=True, kw_only=True)
class Signals:
    """The patterns of a file. `categories` and `at_fifth` say where a code states its intent."""

    signals: Mapping[str, Signal]
    categories: tuple[str, ...]
    at_fifth: tuple[str, ...]

    def of(self, code: str, *, who_codes: bool = False) -> frozenset[str]:
        """The ids of the signals that a code gives; `who_codes`: also as an ICD-10 code of the WHO."""
        return self._of(compact(code), who_codes)

    def needs_who_setting(self, code: str) -> bool:
        """A code that says something in the WHO's ICD-10 alone, and nothing in ICD-10-CM."""
        return not self.of(code) and bool(self.of(code, who_codes=True))

    def examples(self, ids: Iterable[str]) -> Iterator[str]:
        for id_ in ids:
            yield from self.signals[id_].examples

    @cached_property
    def _of(self) -> Callable[[str, bool], frozenset[str]]:
        @lru_cache(maxsize=4096)
        def of(code: str, who_codes: bool) -> frozenset[str]:
            return frozenset(s.id for s in self.signals.values() if self._gives(s, code, who_codes))

        return of

    def _gives(self, signal: Signal, code: str, who_codes: bool) -> bool:
        return _is_encounter(signal.encounter, code) and (
            _matches(signal.codes, code)
            or code in map(compact, signal.exactly)
            or (who_codes and _matches(signal.who_codes, code))
            or (signal.intent is not None and self.intent(code) == signal.intent)
        )

    def intent(self, code: str) -> str | None:
        """The character that states the intent of a poisoning, toxic effect or asphyxiation."""
        code = compact(code)
        if not _matches(self.categories, code):
            return None
        if _matches(self.at_fifth, code) and not code[SIXTH : SIXTH + 1].isdigit():
            return code[FIFTH : FIFTH + 1] or None
        if len(code) <= SIXTH:
            return None
        return code[FIFTH] if code[SIXTH] == PLACEHOLDER else code[SIXTH]


def compact(code: str) -> str:
    """Without the dot, in capitals."""
    return code.replace(".", "").upper()


def parse(table: Mapping[str, Any]) -> Signals:
    """Raises `TypeError`, `KeyError` or `ValueError` for a file of another shape."""
    signals = [_signal(each) for each in table["signal"]]
    return Signals(
        signals={signal.id: signal for signal in signals},
        categories=tuple(table["intent"]["categories"]),
        at_fifth=tuple(table["intent"]["at_fifth"]),
    )


def _signal(table: Mapping[str, Any]) -> Signal:
    known = {field.name for field in fields(Signal)}
    if strange := set(table) - known:
        raise ValueError(f"{table.get('id')}: {', '.join(sorted(strange))} is not known")
    lists = {name: tuple(value) for name, value in table.items() if isinstance(value, list)}
    return Signal(**{**table, **lists, "level": Urgency(table["level"])})


def _is_encounter(wanted: Encounter, code: str) -> bool:
    seventh = code[SEVENTH : SEVENTH + 1]
    match wanted:
        case "any":
            return True
        case "initial":
            return seventh not in ("D", "S")
        case "subsequent":
            return seventh == "D"
        case "sequela":
            return seventh == "S"
        case "not_sequela":
            return seventh != "S"


def _matches(patterns: Iterable[str], code: str) -> bool:
    return any(_begins(pattern, code) for pattern in patterns)


def _begins(pattern: str, code: str) -> bool:
    """`X71-X83` is a range of categories; `[0-689]` stands for one of these characters."""
    if is_range := RANGE.fullmatch(pattern):
        return is_range["first"] <= code[:CATEGORY] <= is_range["last"]
    return fnmatchcase(code, f"{compact(pattern)}*")
