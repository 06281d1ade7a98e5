"""Clients and therapists for the tests of matching: builders for the boring fields, and chance."""

from dataclasses import replace
from random import Random
from typing import Any, Final, TypeVar
from uuid import UUID

from hypothesis import strategies as st

from services.matching.domain.profiles import AGE_GROUPS, Client, Therapist, Wish

V = TypeVar("V")

CLIENT = Client(
    id=UUID(int=1),
    region="north",
    age=34,
    languages=("en",),
    payer="harbor",
    problems=("depression",),
    first_line=frozenset({"cbt"}),
    alternatives=frozenset({"psychodynamic"}),
    point=(42.0, -71.0),
)
THERAPIST = Therapist(
    id=UUID(int=1000),
    region="north",
    languages=frozenset({"en"}),
    payers=frozenset({"harbor"}),
    modalities=frozenset({"cbt"}),
    problems=frozenset({"depression"}),
    age_groups=frozenset({"adult"}),
    settings=frozenset({"in_person"}),
    point=(42.0, -71.0),
)


def client(*wishes: Wish, **changes: Any) -> Client:
    return replace(CLIENT, wishes=wishes, **changes)


def therapist(number: int = 1000, **changes: Any) -> Therapist:
    return replace(THERAPIST, id=UUID(int=number), **changes)


def wish(criterion: str, *values: str) -> Wish:
    return Wish(criterion, values)


def must(criterion: str, *values: str) -> Wish:
    return Wish(criterion, values, must=True)


REGIONS = ("north", "south", "islands")
LANGUAGES = ("en", "es", "vi", "xx")
CODES = ("alpha", "beta", "gamma")
HOURS = ("mon-09", "tue-17", "sun-23", "wed-12")
PLACES = (None, (42.0, -71.0), (42.1, -71.5), (43.0, -71.0))
WISHES: Final = {
    "modality": ("cbt", "emdr", "psychodynamic", "act"),
    "therapist_gender": ("woman", "man", "nonbinary"),
    "language": LANGUAGES,
    "culture": CODES,
    "culture_familiarity": CODES,
    "faith": CODES,
    "setting": ("in_person", "telehealth"),
    "distance_km": ("20", "60", "nearby", "nan"),
    "hours": HOURS,
    "therapist": (str(UUID(int=1001)), str(UUID(int=5)), "nobody"),
    "not_therapist": (*(str(UUID(int=number)) for number in range(1002, 1006)), "nobody"),
}


class Chance:
    """Random clients and therapists of a seed. Most values fit, so that single limits come to decide."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def some(self, values: tuple[str, ...], *, fitting: frozenset[str] = frozenset()) -> frozenset[str]:
        if self.often():
            return frozenset(self._random.sample(values, self._random.randint(0, 2))) | fitting
        return frozenset(self._random.sample(values, self._random.randint(1, 2)))

    def often(self) -> bool:
        return self._random.random() < 0.85

    def one(self, *values: V) -> V:
        return self._random.choice(values)

    def therapist(self, number: int) -> Therapist:
        return Therapist(
            id=UUID(int=number),
            region=self.one("north", "north", "north", "south", "islands"),
            active=self.often(),
            telehealth_regions=self.some(REGIONS),
            languages=self.some(LANGUAGES, fitting=THERAPIST.languages),
            works_with_interpreter=self.one(True, False),
            payers=self.some(("harbor", "state"), fitting=THERAPIST.payers),
            modalities=self.some(("cbt", "psychodynamic", "emdr"), fitting=THERAPIST.modalities),
            problems=self.one(frozenset(), frozenset({"depression"}), frozenset({"ptsd"})),
            age_groups=self.some(AGE_GROUPS, fitting=THERAPIST.age_groups),
            perinatal=self.often(),
            genders=self.some(("woman", "man")),
            cultures=self.some(CODES),
            culture_familiarity=self.some(CODES),
            faiths=self.some(CODES),
            settings=self.some(("in_person", "telehealth"), fitting=THERAPIST.settings),
            hours=self.some(HOURS),
            point=self.one(*PLACES),
            places_total=self.one(1, 1, 2, 3),
            places_taken=self.one(0, 0, 1, 2),
        )

    def wish(self) -> Wish:
        criterion = self.one(*WISHES)
        values = self._random.sample(WISHES[criterion], self._random.randint(1, 2))
        return Wish(criterion, tuple(values), must=self.one(True, False))

    def client(self, number: int) -> Client:
        indicated = self.often()
        return Client(
            id=UUID(int=number),
            region=self.one("north", "north", "north", "south", "islands"),
            age=self.one(34, 34, 34, 64, 7, 13, 65, None),
            perinatal=self.one(True, False, False),
            languages=self.one(("en",), ("en",), ("es", "en"), ("vi",), ()),
            interpreter_ok=self.one(True, False),
            payer=self.one("harbor", "harbor", None, "none_takes"),
            problems=self.one(("depression",), ("ptsd", "ocd"), ()),
            first_line=self.some(("cbt", "emdr")) if indicated else frozenset(),
            alternatives=self.some(("psychodynamic", "act")) if indicated else frozenset(),
            wishes=tuple(self.wish() for _ in range(self.one(0, 1, 1, 2))),
            point=self.one(*PLACES),
            declined=frozenset({UUID(int=1000)}) if not self.often() else frozenset(),
        )

    def network(self, clients: int, therapists: int) -> tuple[list[Client], list[Therapist]]:
        return (
            [self.client(number) for number in range(1, clients + 1)],
            [self.therapist(number) for number in range(1000, 1000 + therapists)],
        )


chances = st.integers(0, 2**32).map(Chance)
