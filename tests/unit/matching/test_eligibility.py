"""Hard limits: each alone, and the roster at once equal to one by one."""

from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings

from services.matching.domain.eligibility import NEVER_RELAXED, Reason, reasons
from services.matching.domain.eligibility_columns import Relaxation, eligible, refusals, relaxations
from services.matching.domain.profiles import Client, Therapist, age_groups, kilometres
from services.matching.domain.roster_columns import Roster
from shared.languages import spoken
from tests.unit.matching.samples import THERAPIST, Chance, chances, client, must, therapist, wish

HERE = str(THERAPIST.id)


def test_a_plain_client_and_a_fitting_therapist_meet() -> None:
    assert reasons(client(), therapist()) == ()


@pytest.mark.parametrize(
    ("them", "other", "expected"),
    [
        (client(), {"active": False}, Reason.INACTIVE),
        # another region, and no licence to see clients there
        (client(), {"region": "south"}, Reason.REGION),
        # licensed there, but sees nobody by telehealth
        (client(), {"region": "south", "telehealth_regions": frozenset({"north"})}, Reason.REGION),
        # a client who must be seen in person cannot be seen from another region
        (
            client(must("setting", "in_person")),
            {
                "region": "south",
                "telehealth_regions": frozenset({"north"}),
                "settings": frozenset({"telehealth", "in_person"}),
            },
            Reason.REGION,
        ),
        (client(age=17), {}, Reason.AGE_GROUP),
        (client(age=65), {}, Reason.AGE_GROUP),
        # an age nobody stated is not taken for an adult's
        (client(age=None), {}, Reason.AGE_GROUP),
        (client(perinatal=True), {}, Reason.PERINATAL),
        (client(languages=("es",)), {}, Reason.LANGUAGE),
        # an interpreter is no help to a therapist who does not work with one
        (client(languages=("es",), interpreter_ok=True), {}, Reason.LANGUAGE),
        # nor to a client who did not accept one
        (client(languages=("es",)), {"works_with_interpreter": True}, Reason.LANGUAGE),
        (client(payer="state"), {}, Reason.PAYER),
        (client(first_line=frozenset({"emdr"}), alternatives=frozenset()), {}, Reason.MODALITY),
        # nothing indicated: the problem decides
        (
            client(first_line=frozenset(), alternatives=frozenset(), problems=("ptsd",)),
            {},
            Reason.PROBLEM,
        ),
        (client(declined=frozenset({THERAPIST.id})), {}, Reason.DECLINED),
        (client(must("modality", "act")), {}, Reason.MUST_MODALITY),
        (client(must("therapist_gender", "woman")), {"genders": frozenset({"man"})}, "must_therapist_gender"),
        # an interpreter does not meet a must
        (
            client(must("language", "es"), interpreter_ok=True),
            {"works_with_interpreter": True},
            Reason.MUST_LANGUAGE,
        ),
        (client(must("culture", "creole")), {}, Reason.MUST_CULTURE),
        (client(must("culture_familiarity", "creole")), {}, Reason.MUST_CULTURE_FAMILIARITY),
        (client(must("faith", "none_stated")), {}, Reason.MUST_FAITH),
        (client(must("setting", "telehealth")), {}, Reason.MUST_SETTING),
        (client(must("distance_km", "10")), {"point": (42.5, -71.0)}, Reason.MUST_DISTANCE_KM),
        # an unknown place is not near
        (client(must("distance_km", "10")), {"point": None}, Reason.MUST_DISTANCE_KM),
        # what nobody can read is met by nobody, and is seen on the waitlist
        (client(must("distance_km", "nearby")), {}, Reason.MUST_DISTANCE_KM),
        (client(must("hours", "tue-17")), {"hours": frozenset({"tue-18"})}, Reason.MUST_HOURS),
        (client(must("therapist", str(UUID(int=7)))), {}, Reason.MUST_THERAPIST),
        (client(must("not_therapist", HERE)), {}, Reason.MUST_NOT_THERAPIST),
    ],
)
def test_each_limit_refuses_alone(them: Client, other: dict[str, Any], expected: str) -> None:
    assert reasons(them, therapist(**other)) == (expected,)


@pytest.mark.parametrize(
    ("them", "other"),
    [
        # by telehealth from another region
        (
            client(),
            {
                "region": "south",
                "telehealth_regions": frozenset({"north"}),
                "settings": frozenset({"telehealth"}),
            },
        ),
        (client(languages=("es",), interpreter_ok=True), {"works_with_interpreter": True}),
        (client(languages=()), {}),
        (client(payer=None), {}),
        (client(age=None), {"age_groups": frozenset({"child", "adolescent", "adult", "older"})}),
        # no problem stated: a generalist
        (
            client(first_line=frozenset(), alternatives=frozenset(), problems=("ptsd",)),
            {"problems": frozenset()},
        ),
        (client(first_line=frozenset(), alternatives=frozenset(), problems=()), {}),
        # a wish is not a limit
        (client(wish("therapist_gender", "woman")), {"genders": frozenset({"man"})}),
        (client(wish("not_therapist", HERE)), {}),
        (client(must("distance_km", "100")), {"point": (42.5, -71.0)}),
        # no journey for a client who asked for telehealth
        (
            client(must("distance_km", "10"), wish("setting", "telehealth")),
            {"point": (45.0, -71.0), "settings": frozenset({"telehealth"})},
        ),
        (client(must("therapist", HERE.upper())), {}),
    ],
)
def test_what_is_no_limit(them: Client, other: dict[str, Any]) -> None:
    assert reasons(them, therapist(**other)) == ()


@given(chances)
@settings(max_examples=30, deadline=None)
def test_the_roster_at_once_equals_one_by_one(chance: Chance) -> None:
    clients, therapists = chance.network(40, 40)
    roster = Roster(therapists)
    for them in clients:
        found = {roster.ids[row] for row in eligible(them, roster)}
        assert found == {t.id for t in therapists if not reasons(them, t)}


@given(chances)
@settings(max_examples=30, deadline=None)
def test_every_single_reason_is_the_same_both_ways(chance: Chance) -> None:
    clients, therapists = chance.network(20, 20)
    roster = Roster(therapists)
    for them in clients:
        refused = refusals(them, roster, roster.all_rows())
        for row, one in enumerate(therapists):
            assert {reason for reason, flags in refused.items() if flags[row]} == set(reasons(them, one))


@given(chances)
@settings(max_examples=30, deadline=None)
def test_a_relaxation_counts_therapists_refused_by_that_limit_alone(chance: Chance) -> None:
    clients, therapists = chance.network(20, 20)
    roster = Roster(therapists)
    for them in clients:
        counts: Counter[Reason] = Counter()
        for one in therapists:
            why = reasons(them, one)
            if len(why) == 1 and why[0] not in NEVER_RELAXED:
                counts[why[0]] += 1
        found = relaxations(them, roster, roster.all_rows())
        assert {r.limit: r.opens for r in found} == counts
        assert [r.opens for r in found] == sorted(counts.values(), reverse=True)


def test_chance_makes_pairs_that_meet_and_pairs_that_one_limit_keeps_apart() -> None:
    """Else the properties above would say little."""
    clients, therapists = Chance(1).network(1000, 40)
    why = [reasons(them, one) for them in clients for one in therapists]
    assert sum(not limits for limits in why) > 500
    alone = {limits[0] for limits in why if len(limits) == 1}
    assert alone == set(Reason)


def test_relaxations_look_only_at_those_given() -> None:
    roster = Roster([therapist(1, payers=frozenset({"state"})), therapist(2, payers=frozenset({"state"}))])
    assert relaxations(client(), roster, roster.rows([UUID(int=2)])) == (Relaxation(Reason.PAYER, 1),)


@given(chances)
@settings(max_examples=30, deadline=None)
def test_a_roster_changed_entry_by_entry_equals_one_made_at_once(chance: Chance) -> None:
    clients, _ = chance.network(10, 0)
    roster, latest = Roster(), dict[UUID, Therapist]()
    for _ in range(30):
        one = chance.therapist(chance.one(*range(1000, 1008)))
        roster.put([one])
        latest[one.id] = one
        eligible(chance.one(*clients), roster)  # what is kept for a region must not outlive a change
    for them in clients:
        found = {roster.ids[row] for row in eligible(them, roster)}
        assert found == {t.id for t in latest.values() if not reasons(them, t)}


def test_more_codes_than_bits_in_a_word() -> None:
    many = [therapist(n, cultures=frozenset({f"c{n}", f"c{n + 1}"})) for n in range(150)]
    roster = Roster(many)
    rows = eligible(client(must("culture", "c70")), roster)
    assert [roster.ids[row].int for row in rows] == [69, 70]


@pytest.mark.parametrize(
    ("age", "group"),
    [
        (0, "child"),
        (12, "child"),
        (13, "adolescent"),
        (17, "adolescent"),
        (18, "adult"),
        (64, "adult"),
        (65, "older"),
    ],
)
def test_age_groups(age: int, group: str) -> None:
    assert age_groups(age) == {group}


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("es", "es"),
        ("es-MX", "es"),
        ("zh-Hant", "zh"),
        ("zh-yue", "yue"),
        ("sgn-ase", "ase"),
        ("pt-br", "pt"),
    ],
)
def test_the_spoken_language_of_a_tag(tag: str, language: str) -> None:
    assert spoken(tag) == language


def test_kilometres_between_two_known_cities() -> None:
    # London to Paris, about 344 km
    assert kilometres((51.5074, -0.1278), (48.8566, 2.3522)) == pytest.approx(343.6, abs=1)
