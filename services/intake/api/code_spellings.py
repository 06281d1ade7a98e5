"""Codes as their senders write them: `PHQ-9`, `Attempt in progress`, `F331`.

What is on a list is written as the list has it. What is on none is set aside, alone, and the rest is taken.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from services.intake.api.fields import CODE
from services.intake.api.preference_fields import CODED, TAKES, fits
from services.intake.domain.screening_notes import Note
from services.intake.domain.unread import FILLED, Path, Unread, pointer
from shared.instruments import INSTRUMENTS
from shared.network import folded
from shared.vocabulary import (
    EXTERNAL_LEVELS,
    GOALS,
    MODALITIES,
    PROBLEMS,
    RED_FLAGS,
    STRENGTHS,
    Criterion,
)

Find = Callable[[str], str | None]

LONGEST_WORD: Final = 200
LONGEST_LIST: Final = 200
_DIAGNOSIS: Final = re.compile(r"([A-Z][0-9][0-9A-Z])([0-9A-Z]{0,4})")
APART: Final = re.compile(r"[,;|/()\n]+")
"""Between several codes in one text."""
_BETWEEN: Final = re.compile(r"[\s._\-]+")


def written(codes: Iterable[str]) -> Find:
    """Finds a code whatever its case, spaces and punctuation."""
    known = {folded(code): code for code in codes}
    return lambda said: known.get(folded(said))


def diagnosis(said: str) -> str | None:
    """ICD-10-CM with its dot after the third character."""
    found = _DIAGNOSIS.fullmatch(_BETWEEN.sub("", said).upper())
    return found and ".".join(filter(None, found.groups()))


FLAG: Final = written(RED_FLAGS)
INSTRUMENT: Final = written(INSTRUMENTS)
CRITERION: Final = written(Criterion)
MODALITY: Final = written(MODALITIES)
WISHES: Final[Mapping[Criterion, Find]] = {criterion: written(codes) for criterion, codes in CODED.items()}

LISTS: Final[Mapping[str, tuple[str, Find]]] = {
    "red_flags": ("red_flag", FLAG),
    "problems": ("problem", written(PROBLEMS)),
    "external_levels": ("external_level", written(EXTERNAL_LEVELS)),
    "diagnoses": ("diagnosis", diagnosis),
}
"""Lists of plain codes: what an unknown one is called, and how a known one is found."""


CODED_LISTS: Final[Mapping[str, tuple[str, Find]]] = {
    "goals": ("goal", written(GOALS)),
    "strengths": ("strength", written(STRENGTHS)),
}
"""Lists of objects with a code."""


class Codes:
    """The codes of one request, written as the lists have them, in place; `unread` are those on no list."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.unread: dict[Path, Unread] = {}
        for name, (part, find) in LISTS.items():
            self._plain(raw.get(name), (name,), part, find)
        for name, (part, find) in CODED_LISTS.items():
            self._inside(raw.get(name), (name,), "code", part, find)
        history = raw.get("history")
        if isinstance(history, dict):
            path = ("history", "past_treatments")
            self._inside(history.get(path[1]), path, "modality", "modality", MODALITY)
        self._inside(raw.get("screenings"), ("screenings",), "instrument", "instrument", INSTRUMENT)
        self._wishes(raw.get("preferences"))
        self._priority(raw)

    def _plain(self, values: Any, path: Path, part: str, find: Find) -> None:
        self._shorten(values, path, part, lambda each: isinstance(each, str) and find(each))
        for place, said in _each(values, str):
            if code := find(said):
                values[place] = code
            elif said.strip():
                self._several(values, (*path, place), part, find)

    def _shorten(self, values: Any, path: Path, part: str, is_known: Callable[[Any], object]) -> None:
        """Of a list that no form holds the unknown values are set aside together."""
        if not isinstance(values, list) or len(values) <= LONGEST_LIST:
            return
        unknown = [each for each in values if not is_known(each)]
        if unknown:
            values[:] = [each for each in values if is_known(each)]
            self._aside((*path, FILLED), part, unknown)

    def _several(self, values: list[Any], path: Path, part: str, find: Find) -> None:
        """Codes in one text, such as `overdose; weapon`: those that are known act."""
        place, said = int(path[-1]), values[int(path[-1])]
        found = [find(each) for each in APART.split(said) if each.strip()]
        known = [code for code in found if code]
        if known and len(known) == len(found):
            values[place], *more = known
            values += more
        else:
            values += known
            self._aside(path, part, said)

    def _inside(self, values: Any, path: Path, name: str, part: str, find: Find) -> None:
        """Coded objects: one whose code is unknown is set aside as a whole, with its words."""

        def is_known(each: Any) -> object:
            return isinstance(each, dict) and isinstance(each.get(name), str) and find(each[name])

        self._shorten(values, path, part, is_known)
        for place, each in _each(values, dict):
            said = each.get(name)
            if not isinstance(said, str) or not said.strip():
                continue
            if code := find(said):
                each[name] = code
            else:
                self._aside((*path, place), part, each)

    def _wishes(self, wishes: Any) -> None:
        self._shorten(wishes, ("preferences",), "must", lambda _: False)
        for place, wish in _each(wishes, dict):
            part = "must" if wish.get("strength") == "must" else "criterion"
            said = wish.get("criterion")
            if not isinstance(said, str) or not said.strip():
                continue
            criterion = CRITERION(said)
            if criterion is None:
                self._aside(("preferences", place), part, wish)
                continue
            wish["criterion"] = criterion
            self._wished(wish, ("preferences", place), Criterion(criterion), part)

    def _wished(self, wish: dict[str, Any], path: Path, criterion: Criterion, part: str) -> None:
        values: Any = wish.get("values")
        find = WISHES.get(criterion)
        unknown = []
        for place, said in _each(values, str):
            code = find(said) if find else said.strip()
            if code and re.fullmatch(CODE, code) and fits(criterion, code):
                values[place] = code
            elif said.strip():
                unknown.append(place)
        if unknown and (len(unknown) == len(values) or len(unknown) > LONGEST_LIST):
            self._aside(path, part, wish, takes(criterion))
            return
        for place in unknown:
            self._aside((*path, "values", place), part, values[place], takes(criterion))

    def _priority(self, raw: dict[str, Any]) -> None:
        """A word that nobody knows is read by `priorities`; here is what is no word."""
        said = raw.get("requested_priority")
        if isinstance(said, int) and not isinstance(said, bool):
            said = raw["requested_priority"] = str(said)
        if not isinstance(said, str):
            return
        if not said.strip():
            raw["requested_priority"] = None
        elif len(said.strip()) > LONGEST_WORD or "\x00" in said:
            what = "It stays unknown, and a clinician looks at it as soon as at one that is urgent."
            self._aside(("requested_priority",), "requested_priority", said, what)

    def _aside(self, path: Path, part: str, value: Any, more: str = "") -> None:
        what = f"This {SPOKEN.get(part, 'code')} is not known here. It is kept, and a clinician looks at it."
        place = path[:-1] if path[-1] == FILLED else path
        note = Note(pointer(place), f"{what} {more}".strip(), f"unknown_{part}")
        self.unread[path] = Unread(path=place, part=part, value=value, note=note)


SPOKEN: Final = {
    "red_flag": "red flag",
    "external_level": "level of care",
    "requested_priority": "priority",
    "criterion": "wish",
    "must": "limit",
    **{part: part for part in ("problem", "diagnosis", "goal", "strength", "modality", "instrument")},
}


def takes(criterion: Criterion) -> str:
    known = TAKES.get(criterion) or ", ".join(sorted(CODED.get(criterion, ("codes",))))
    return f"This criterion takes: {known}."


def _each(values: Any, kind: type) -> Iterator[tuple[int, Any]]:
    for place, each in list(enumerate(values)) if isinstance(values, list) else ():
        if isinstance(each, kind):
            yield place, each
