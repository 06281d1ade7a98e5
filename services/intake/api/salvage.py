"""A form of which a part cannot be read, taken without that part: for when something on it cannot wait.

First what was plainly meant is written as the form has it (`spell_out`). Then each part at which reading
fails is left out, or filled with what is safe, and the rest is read again, until it can be read. Nothing here
decides whether the form is taken.
"""

import copy
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from services.intake.api.code_spellings import Codes
from services.intake.api.field_names import nameable
from services.intake.api.requests import Form
from services.intake.api.spelling import spell_out, texts_within
from services.intake.domain.screening_notes import Note
from services.intake.domain.unread import FILLED, Path, Unread, pointer, text
from shared.instruments import safety_fired
from shared.vocabulary import NETWORK_ROTA

F = TypeVar("F", bound=Form)

MOST_ROUNDS: Final = 40
MOST_UNREAD: Final = 300
"""Of a form with more than that, only what cannot wait is read."""
LONGEST_NAME: Final = 200
NO_NAME: Final = "(no name)"
Merge = Callable[[Any], Any]
"""What is read, made of what was sent: the same, or a stored form patched with it."""


class Failure(NamedTuple):
    """Where reading failed, in places of what was sent, and how."""

    path: Path
    code: str
    most: int | None = None


@dataclass
class Salvage(Generic[F]):
    """What was sent, on its way to what can be read of it. `named` is False for a client without a name."""

    model: type[F]
    raw: dict[str, Any]
    today: date
    merge: Merge = lambda raw: raw
    patches: bool = False
    unread: dict[Path, Unread] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    named: bool = True

    def read(self, faults: Callable[[F], Iterable[str]]) -> F | None:
        """None if nothing can be made of it. `faults` gives the places, as JSON pointers, of what cannot be
        true in a form that can be read."""
        self.notes += spell_out(self.raw)
        self.unread |= Codes(self.raw).unread
        for _ in range(MOST_ROUNDS):
            found = attempt(self.model, self.raw, self.unread, self.merge)
            if isinstance(found, Form):
                wrong = [Failure(_path(where), "wrong") for where in faults(found)]
                if not wrong:
                    self.unread = {path: each for path, each in self.unread.items() if not self._inside(path)}
                    return found
                found = wrong
            if not self._mend(found) or len(self.unread) > MOST_UNREAD:
                return None
        return None

    def _inside(self, path: Path) -> bool:
        """Within something else that is left out as a whole."""
        return any(path[:depth] in self.unread for depth in range(len(path)))

    def _mend(self, failures: Sequence[Failure]) -> bool:
        """True if anything was left out or filled."""
        before = len(self.unread), json.dumps(self.raw)
        for failure in failures[:MOST_UNREAD]:
            if failure.path in self.unread:
                self._leave_out(Failure(failure.path[:-1], "needed"))
            elif not self._inside(failure.path):
                self._mend_one(failure)
        return before != (len(self.unread), json.dumps(self.raw))

    def _mend_one(self, failure: Failure) -> None:
        path = failure.path
        if failure.code == "extra_forbidden":
            self._aside(path, "form")
            return
        match path:
            case ("client", "name", *_) | ("client",):
                self._name()
            case ("client", "region", *_):
                self._fill(path[:2], NETWORK_ROTA, "region")
            case ("consent", *_):
                self._consent(path)
            case ("idempotency_key",):
                self._key()
            case ("screenings", int(), "taken_on"):
                self._day(path)
            case ("screenings", int(), "answers", int()):
                self._put(path, None, "answer", "It counts as not answered.")
            case _:
                self._leave_out(failure)

    def leave_out_rest(self, rest: Any) -> None:
        self._note((), rest, "form", "Only what cannot wait was read of it.", left_out=True)

    def _name(self) -> None:
        """A name in another shape is a name all the same."""
        client = self.raw.get("client")
        if self.patches:
            self._aside(("client", "name") if isinstance(client, dict) else ("client",), "name")
            return
        said = client.get("name") if isinstance(client, dict) else client
        found = " ".join(" ".join(texts_within(said)).replace("\x00", " ").split())
        self.named = bool(found)
        if not isinstance(client, dict):
            client = self.raw["client"] = {}
        if said is not None:
            self._note(("client", "name"), said, "name", "It is taken as far as it can be read.")
        client["name"] = found[:LONGEST_NAME].strip() or NO_NAME

    def _fill(self, path: Path, value: Any, part: str) -> None:
        """Of a patch the stored value stays."""
        if self.patches:
            self._aside(path, part)
        else:
            self._put(path, value, part, "It is taken for the whole network.")

    def _consent(self, path: Path) -> None:
        """What was not clearly agreed to is not shared."""
        what = "Nothing counts as agreed to that is not clearly said."
        if len(path) == 1:
            self._put(path, {"share_with_network": False}, "consent", what)
        elif path[1] in ("share_with_network", "share_substance_use"):
            self._put(path[:2], False, "consent", what)
        else:
            self._aside(path[:2], "consent")

    def _key(self) -> None:
        said = json.dumps(self.raw["idempotency_key"], sort_keys=True)
        self.raw["idempotency_key"] = derived_key(said)
        what = "This is no Idempotency-Key. One was made of it, so that the same line is still taken once."
        self.notes.append(Note("/idempotency_key", what, "key_derived"))

    def _day(self, path: Path) -> None:
        """A positive answer counts whenever it was given; a no of an unknown day does not."""
        sheet = self.raw["screenings"][path[1]]
        if fires(sheet):
            self._put(
                path, self.today.isoformat(), "taken_on", "Today is taken, since an answer cannot wait."
            )
        else:
            self._aside(path[:2], "screening")

    def _leave_out(self, failure: Failure) -> None:
        path = failure.path
        value, path = self._there(path)
        if failure.code == "too_long" and isinstance(value, list) and failure.most is not None:
            self._shorten(path, value, failure.most)
        elif path in ((), ("client",)):
            return
        else:
            if path[:1] == ("preferences",) and len(path) > 2:
                path = path[:2]
            self._aside(path, part_of(path, self.raw))

    def _there(self, path: Path) -> tuple[Any, Path]:
        """The value at the deepest part of the path that there is, and where that is."""
        value: Any = self.raw
        for depth, name in enumerate(path):
            try:
                value = value[name]
            except (KeyError, IndexError, TypeError):
                return value, path[:depth]
        return value, path

    def _shorten(self, path: Path, values: list[Any], most: int) -> None:
        """What cannot wait stays, and of the rest what comes first."""
        there = [place for place in range(len(values)) if (*path, place) not in self.unread]
        order = sorted(there, key=lambda place: (not _loud(path, values, place), place))
        for place in sorted(order[most:]):
            self._aside((*path, place), part_of((*path, place), self.raw))

    def _put(self, path: Path, value: Any, part: str, what: str) -> None:
        inner, at = self._there(path[:-1])
        if at != path[:-1]:
            return
        try:
            said = inner[path[-1]]
        except (KeyError, IndexError):
            said = None
        self._note(path, said, part, what)
        inner[path[-1]] = value

    def _aside(self, path: Path, part: str) -> None:
        value, at = self._there(path)
        if at == path:
            self._note(path, value, part, "It is left out.", left_out=True)

    def _note(self, path: Path, value: Any, part: str, what: str, *, left_out: bool = False) -> None:
        where = tuple(name if isinstance(name, int) else str(nameable(name)) for name in path)
        note = Note(
            pointer(where), f"This could not be read. {what} A clinician looks at it.", "not_understood"
        )
        place = path if left_out else (*path, FILLED)
        self.unread[place] = Unread(
            path=where, part=part, value=copy.deepcopy(value), note=note, left_out=True
        )


def attempt(
    model: type[F], raw: Any, unread: Mapping[Path, Unread], merge: Merge = lambda raw: raw
) -> F | list[Failure]:
    """The form without what is unread, or where reading it fails."""
    places: dict[Path, list[int]] = {}
    try:
        data = json.dumps(merge(_without(raw, (), unread, places)))
        return model.model_validate_json(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    return [
        Failure(_sent(each["loc"], places), each["type"], each.get("ctx", {}).get("max_length"))
        for each in found
    ]


def _without(value: Any, path: Path, unread: Mapping[Path, Unread], places: dict[Path, list[int]]) -> Any:
    if isinstance(value, dict):
        there = [(name, each) for name, each in value.items() if (*path, name) not in unread]
        return {name: _without(each, (*path, name), unread, places) for name, each in there}
    if isinstance(value, list):
        left = places[path] = [place for place in range(len(value)) if (*path, place) not in unread]
        return [_without(value[place], (*path, place), unread, places) for place in left]
    return value


def _sent(loc: Iterable[str | int], places: Mapping[Path, list[int]]) -> Path:
    """The place in what was sent of a place in what was read."""
    path: Path = ()
    for name in loc:
        there = places.get(path, ())
        path = (*path, there[name] if isinstance(name, int) and name < len(there) else name)
    return path


def fires(sheet: Any) -> bool:
    if not isinstance(sheet, dict) or not isinstance(sheet.get("answers"), list):
        return False
    return bool(safety_fired(str(sheet.get("instrument")), sheet["answers"]))


def _loud(path: Path, values: list[Any], place: int) -> bool:
    """Sheets that fire, and codes that are there for the first time. Answers keep their order."""
    if path == ("screenings",):
        return fires(values[place])
    return "answers" in path or values[place] not in values[:place]


def derived_key(said: str) -> str:
    return "derived-" + hashlib.sha256(text(said).encode()).hexdigest()


def _path(where: str) -> Path:
    return tuple(int(name) if name.isdecimal() else name for name in where.strip("/").split("/"))


_PARTS: Final[Mapping[str, str]] = {
    "red_flags": "red_flag",
    "problems": "problem",
    "diagnoses": "diagnosis",
    "goals": "goal",
    "strengths": "strength",
    "external_levels": "external_level",
    "requested_priority": "requested_priority",
    "express": "express",
    "notes": "notes",
    "read_notes": "notes",
    "history": "history",
    "consent": "consent",
    "referrer": "referrer",
    "primary_care": "referrer",
    "payer": "payer",
}
_PARTS_OF_CLIENT: Final[Mapping[str, str]] = {
    "name": "name",
    "region": "region",
    "birth_date": "birth_date",
    "contact": "contact",
    "languages": "language",
    "interpreter_ok": "language",
    "sex": "sex",
    "gender": "sex",
    "pronouns": "sex",
    "perinatal": "perinatal",
    "postal_area": "postal_area",
    "guardian": "guardian",
}
_PARTS_OF_SHEETS: Final[Mapping[str, str]] = {"answers": "answer", "language": "screening"}


def part_of(path: Path, raw: Mapping[str, Any]) -> str:
    """The name that other services know it by."""
    match path:
        case ("client", str(name), *_):
            return _PARTS_OF_CLIENT.get(name, "other")
        case ("screenings", int(), str(name), *_):
            return _PARTS_OF_SHEETS.get(name, "screening")
        case ("screenings", *_):
            return "screening"
        case ("preferences", int(place), *_):
            wish = raw["preferences"][place]
            return "must" if isinstance(wish, dict) and wish.get("strength") == "must" else "criterion"
        case ("preferences",):
            return "must"
        case (str(name), *_):
            return _PARTS.get(name, "other")
    return "other"
