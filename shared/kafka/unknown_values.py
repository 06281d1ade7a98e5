"""How a reader reads an enum value that only newer writers know.

What still says enough without the value is read; the rest is skipped, and replayed once the reader is new
enough. See docs/decisions/0015-readers-before-writers.md.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.vocabulary import Priority, Sex

DROP: Final = object()
"""Leave out the list element that holds the value."""

ReadAs = Callable[[Mapping[str, Any]], object]


def _always(value: object) -> ReadAs:
    return lambda _: value


READ_AS: Final[Mapping[tuple[str, ...], ReadAs]] = {
    ("case", "sex"): _always(Sex.UNKNOWN),
    ("case", "requested_priority"): _always(Priority.UNKNOWN),  # a clinician reviews it
    ("case", "guardian"): _always("absent"),  # of a minor: a clinician reviews it
    ("case", "screenings", "*", "answers", "*"): _always(None),  # missing, which is not zero
    ("indications", "*", "strength"): _always(DROP),
    ("team", "*"): _always(DROP),
    ("action",): _always(None),
    ("restates",): lambda event: event["urgency"],  # rules only raise: it is no more urgent than the whole
}
"""By the place of the value in an event, where `*` is any place in a list. A function of the whole event."""

_ENUM_ERRORS: Final = frozenset({"enum", "literal_error"})


@dataclass(frozen=True)
class Unknown:
    """The unknown values of an event. `places` are those that can be read some other way; `skip`: there are
    others too."""

    places: frozenset[tuple[str | int, ...]]
    skip: bool


def find(event: Mapping[str, Any], errors: Iterable[Mapping[str, Any]]) -> Unknown | None:
    """What pydantic's errors come to if every one is about an unknown enum value; None if one is not."""
    places: set[tuple[str | int, ...]] = set()
    skip = False
    for error in errors:
        path = error["loc"][1:]  # it begins with the type
        place = next((path[: len(known)] for known in READ_AS if _matches(known, path)), None)
        if place is not None and _names_a_value(event, place):
            places.add(place)
        elif error["type"] in _ENUM_ERRORS and _names_a_value(event, path):
            skip = True
        else:
            return None
    return Unknown(frozenset(places), skip)


def _names_a_value(event: Any, path: Iterable[str | int]) -> bool:
    try:
        return isinstance(_at(event, path), str)
    except (KeyError, IndexError, TypeError):
        return False


def replace(event: dict[str, Any], places: Iterable[tuple[str | int, ...]]) -> None:
    """Changes the event in place."""
    found = [(place, _read_as(place)(event)) for place in places]
    for place, value in found:
        if value is not DROP:
            _at(event, place[:-1])[place[-1]] = value
    elements = {_element(place) for place, value in found if value is DROP}
    for *parent, index in sorted(elements, key=lambda element: element[-1], reverse=True):
        del _at(event, parent)[index]


def _read_as(place: tuple[str | int, ...]) -> ReadAs:
    return next(read_as for known, read_as in READ_AS.items() if _matches(known, place))


def _matches(known: tuple[str, ...], path: tuple[str | int, ...]) -> bool:
    """Beyond the place of a value pydantic names the member of a union."""
    return len(path) >= len(known) and all(
        isinstance(part, int) if name == "*" else part == name
        for name, part in zip(known, path, strict=False)
    )


def _element(place: tuple[str | int, ...]) -> tuple[Any, ...]:
    last = max(at for at, part in enumerate(place) if isinstance(part, int))
    return place[: last + 1]


def _at(event: Any, path: Iterable[str | int]) -> Any:
    for part in path:
        event = event[part]
    return event
