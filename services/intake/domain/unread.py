"""What came with a request and could not be read: named to its sender, sealed for who may read the form."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.intake.domain.screening_notes import Note
from shared.vocabulary import NOT_UNDERSTOOD_BY_COORDINATORS

Path = tuple[str | int, ...]

FILLED: Final = "\x00filled"
"""Ends the path of a value that was replaced and not left out; no field has this name."""
MOST_COUNTED: Final = 20
MOST_KEPT: Final = 500
DEEPEST: Final = 20
CUT: Final = "(nested too deeply)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """`part` names it to the other services, `note` to the sender, who may have been told already. `path` is
    its place in what was sent; `left_out`: the rest could only be taken without it."""

    path: Path
    part: str
    value: Any
    note: Note | None = None
    left_out: bool = False

    @property
    def where(self) -> str:
        return pointer(self.path)


def pointer(path: Iterable[object]) -> str:
    return "/" + "/".join(map(str, path))


def parts(unread: Sequence[Unread]) -> tuple[str, ...]:
    """Each once for every value, as a case names them. What was left out of a part that coordinators settle
    is for a clinician too, since something on the form cannot wait."""
    named = Counter(each.part for each in unread)
    if any(each.left_out and each.part in NOT_UNDERSTOOD_BY_COORDINATORS for each in unread):
        named["form"] += 1
    return tuple(part for part in sorted(named) for _ in range(min(named[part], MOST_COUNTED)))


def parts_of(sealed: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The same of what was sealed."""
    return parts(
        [
            Unread(path=(), part=each["part"], value=None, left_out=each.get("left_out", False))
            for each in sealed
        ]
    )


def sealable(unread: Sequence[Unread], *, revision: int) -> list[dict[str, Any]]:
    return [
        {
            "revision": revision,
            "where": each.where,
            "part": each.part,
            "left_out": each.left_out,
            "value": storable(each.value),
        }
        for each in unread
    ]


def kept(
    before: Sequence[Mapping[str, Any]], patch: Mapping[str, Any], new: Sequence[Mapping[str, Any]]
) -> Any:
    """What stays unread after an amendment. A value that the patch replaces by another that cannot be read
    stays beside it, so that the number of values grows and a clinician looks again."""
    told = {each["part"] for each in new}
    same = [(each["part"], each["value"]) for each in new]
    stays = [
        each
        for each in before
        if (each["part"], each["value"]) not in same
        and (each["part"] in told or not _touches(patch, each["where"]))
    ]
    return [*stays, *new][-MOST_KEPT:]


def _touches(patch: Any, where: str) -> bool:
    for name in where.strip("/").split("/"):
        if not isinstance(patch, Mapping):
            return True
        if name not in patch:
            return False
        patch = patch[name]
    return True


def storable(value: Any, depth: int = 0) -> Any:
    """As it was, as far as JSON in UTF-8 can say it."""
    if depth > DEEPEST:
        return CUT
    if isinstance(value, str):
        return text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [storable(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {text(name): storable(each, depth + 1) for name, each in value.items()}
    return value


def text(value: str) -> str:
    """Half of a surrogate pair is no text."""
    return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in value)
