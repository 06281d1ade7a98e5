"""Clients and therapists for the tests of matching: builders for the boring fields, and strategies."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from services.matching.people import AGE_GROUPS, Client, Therapist, Wish

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
NUMBERS = st.integers(1000, 1006)


def some(values: tuple[str, ...], **sizes: int) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(values), **sizes)


points = st.none() | st.tuples(st.sampled_from((42.0, 42.1, 43.0)), st.sampled_from((-71.0, -71.5)))

therapists = st.builds(
    Therapist,
    id=NUMBERS.map(lambda number: UUID(int=number)),
    region=st.sampled_from(REGIONS),
    active=st.sampled_from((True, True, True, False)),
    telehealth_regions=some(REGIONS),
    languages=some(LANGUAGES, min_size=1),
    works_with_interpreter=st.booleans(),
    payers=some(("harbor", "state")),
    modalities=some(("cbt", "psychodynamic", "emdr"), min_size=1),
    problems=some(("depression", "ptsd")),
    age_groups=some(AGE_GROUPS, min_size=1),
    perinatal=st.booleans(),
    genders=some(("woman", "man")),
    cultures=some(CODES),
    culture_familiarity=some(CODES),
    faiths=some(CODES),
    settings=some(("in_person", "telehealth"), min_size=1),
    hours=some(HOURS),
    point=points,
    places_total=st.integers(0, 3),
    places_taken=st.integers(0, 3),
)

rosters = st.lists(therapists, max_size=7, unique_by=lambda t: t.id)


def wishes_of(criterion: str, values: tuple[str, ...]) -> st.SearchStrategy[Wish]:
    some_values = st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(tuple)
    return st.builds(Wish, st.just(criterion), some_values, st.booleans())


any_wish = st.one_of(
    wishes_of("modality", ("cbt", "emdr", "act")),
    wishes_of("therapist_gender", ("woman", "man", "nonbinary")),
    wishes_of("language", LANGUAGES),
    wishes_of("culture", CODES),
    wishes_of("culture_familiarity", CODES),
    wishes_of("faith", CODES),
    wishes_of("setting", ("in_person", "telehealth")),
    wishes_of("distance_km", ("20", "60", "nearby", "nan")),
    wishes_of("hours", HOURS),
    wishes_of("therapist", (str(UUID(int=1001)), str(UUID(int=5)), "nobody")),
    wishes_of("not_therapist", (str(UUID(int=1002)), str(UUID(int=5)), "nobody")),
)

clients = st.builds(
    Client,
    id=st.integers(1, 99).map(lambda number: UUID(int=number)),
    region=st.sampled_from(REGIONS),
    age=st.none() | st.sampled_from((7, 13, 17, 18, 64, 65)),
    perinatal=st.booleans(),
    languages=st.lists(st.sampled_from(LANGUAGES), max_size=2, unique=True).map(tuple),
    interpreter_ok=st.booleans(),
    payer=st.none() | st.sampled_from(("harbor", "state", "none_takes")),
    problems=st.lists(st.sampled_from(("depression", "ptsd", "ocd")), max_size=2).map(tuple),
    first_line=some(("cbt", "emdr")),
    alternatives=some(("psychodynamic", "act")),
    wishes=st.lists(any_wish, max_size=3).map(tuple),
    point=points,
    declined=st.frozensets(NUMBERS.map(lambda number: UUID(int=number)), max_size=2),
)
