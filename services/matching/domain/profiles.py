"""The two sides of a match as decisions see them: what is stated, nothing inferred."""

import math
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from shared.vocabulary import Criterion

Point = tuple[float, float]
"""Latitude and longitude in degrees, the centre of an area; nobody's address."""

AGE_GROUPS: Final = ("child", "adolescent", "adult", "older")
"""Up to 12, 13 to 17, 18 to 64, from 65 (policy, to be confirmed by the network)."""

_FIRST_AGE: Final = (("older", 65), ("adult", 18), ("adolescent", 13), ("child", 0))


def age_groups(age: int | None) -> frozenset[str]:
    """Whom a therapist must be licensed to see. An age nobody stated is not guessed: all of them."""
    if age is None:
        return frozenset(AGE_GROUPS)
    return frozenset({next((group for group, first in _FIRST_AGE if age >= first), "child")})


def area_code(text: str) -> str:
    """One way to write a postal area: the same letters in either case are the same area."""
    return text.strip().upper()


def kilometres(one: Point, other: Point) -> float:
    """Great-circle distance (haversine)."""
    (lat1, lon1), (lat2, lon2) = one, other
    half_lat, half_lon = math.radians(lat2 - lat1) / 2, math.radians(lon2 - lon1) / 2
    across = math.cos(math.radians(lat1)) * math.cos(math.radians(lat2)) * math.sin(half_lon) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(math.sin(half_lat) ** 2 + across)))


EARTH_KM: Final = 6371.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What the client asked for, in order of liking; `must` makes it a limit."""

    criterion: str
    values: tuple[str, ...]
    must: bool = False


@dataclass(frozen=True, slots=True)
class Client:
    """One referral, as far as finding a therapist needs it."""

    id: UUID
    region: str
    age: int | None = None
    perinatal: bool = False
    languages: tuple[str, ...] = ()
    interpreter_ok: bool = False
    payer: str | None = None
    problems: tuple[str, ...] = ()
    first_line: frozenset[str] = frozenset()
    alternatives: frozenset[str] = frozenset()
    wishes: tuple[Wish, ...] = ()
    point: Point | None = None
    declined: frozenset[UUID] = frozenset()

    @property
    def indicated(self) -> frozenset[str]:
        return self.first_line | self.alternatives

    def musts(self, criterion: Criterion) -> list[tuple[str, ...]]:
        """Each must of this criterion is a limit of its own."""
        return [w.values for w in self.wishes if w.must and w.criterion == criterion]

    def liking(self, criterion: Criterion) -> tuple[str, ...]:
        """Everything asked for under this criterion, best liked first."""
        return tuple(dict.fromkeys(v for w in self.wishes if w.criterion == criterion for v in w.values))

    @property
    def refuses_telehealth(self) -> bool:
        return any("telehealth" not in values for values in self.musts(Criterion.SETTING))

    @property
    def asks_for_telehealth(self) -> bool:
        return "telehealth" in self.liking(Criterion.SETTING)


@dataclass(frozen=True, slots=True)
class Therapist:
    """One roster entry: what the therapist states, and how many clients they can still take."""

    id: UUID
    region: str
    active: bool = True
    telehealth_regions: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    works_with_interpreter: bool = False
    payers: frozenset[str] = frozenset()
    modalities: frozenset[str] = frozenset()
    problems: frozenset[str] = frozenset()
    age_groups: frozenset[str] = frozenset()
    perinatal: bool = False
    genders: frozenset[str] = frozenset()
    cultures: frozenset[str] = frozenset()
    culture_familiarity: frozenset[str] = frozenset()
    faiths: frozenset[str] = frozenset()
    settings: frozenset[str] = frozenset()
    hours: frozenset[str] = frozenset()
    point: Point | None = None
    places_total: int = 1
    places_taken: int = 0
    version: int = field(default=1, compare=False)

    @property
    def free(self) -> int:
        return max(0, self.places_total - self.places_taken) if self.active else 0

    def reaches(self, region: str) -> bool:
        """Whether a client of that region can be seen at all, in person or by telehealth."""
        remote = region in self.telehealth_regions and "telehealth" in self.settings
        return region == self.region or remote


def limit_km(value: str) -> float:
    """A distance as the client gave it. What cannot be read is met by nobody, so that a person looks."""
    try:
        number = float(value)
    except ValueError:
        return -1.0
    return number if math.isfinite(number) else -1.0


def therapist_ids(values: tuple[str, ...]) -> frozenset[UUID]:
    """The therapists named in a wish; a value that is no id names nobody."""
    return frozenset(found for value in values if (found := _uuid(value)) is not None)


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
