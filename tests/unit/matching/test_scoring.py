"""Wishes: what each criterion scores, and that only what was said counts."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings

from services.matching.domain.eligibility_columns import eligible
from services.matching.domain.profiles import Client, Therapist
from services.matching.domain.roster_columns import Roster
from services.matching.domain.scoring import Weights, fit
from tests.unit.matching.samples import THERAPIST, Chance, chances, client, therapist, wish


def scores(them: Client, *others: Therapist, weights: Weights | None = None) -> dict[str, list[float]]:
    roster = Roster(others)
    found = fit(them, roster, roster.all_rows(), weights or Weights())
    return {name: row.round(3).tolist() for name, row in zip(found.criteria, found.scores, strict=True)}


@pytest.mark.parametrize(
    ("them", "criterion", "others", "expected"),
    [
        # first line above alternative
        (client(), "indication", [{}, {"modalities": frozenset({"psychodynamic"})}], [1.0, 0.5]),
        # the client's wish, within what guidance names
        (
            client(wish("modality", "psychodynamic", "cbt")),
            "modality",
            [{}, {"modalities": frozenset({"psychodynamic"})}],
            [0.5, 1.0],
        ),
        # languages in the client's order; an interpreter meets none of them
        (
            client(languages=("es", "en")),
            "language",
            [{"languages": frozenset({"es"})}, {}, {"languages": frozenset({"vi"})}],
            [1.0, 0.5, 0.0],
        ),
        # the best liked that the therapist has
        (
            client(wish("therapist_gender", "woman", "nonbinary")),
            "therapist_gender",
            [{"genders": frozenset({"woman", "nonbinary"})}, {"genders": frozenset({"nonbinary"})}, {}],
            [1.0, 0.5, 0.0],
        ),
        (
            client(wish("culture_familiarity", "creole")),
            "culture_familiarity",
            [{"culture_familiarity": frozenset({"creole"})}, {"cultures": frozenset({"creole"})}],
            [1.0, 0.0],
        ),
        (client(wish("culture", "creole")), "culture", [{"cultures": frozenset({"creole"})}, {}], [1.0, 0.0]),
        (client(wish("faith", "quaker")), "faith", [{"faiths": frozenset({"quaker"})}, {}], [1.0, 0.0]),
        (
            client(wish("setting", "telehealth")),
            "setting",
            [{"settings": frozenset({"telehealth"})}, {}],
            [1.0, 0.0],
        ),
        # one session a week needs one hour; three in common are enough
        (
            client(wish("hours", "mon-09", "mon-10", "mon-11", "mon-12")),
            "hours",
            [
                {"hours": frozenset({"mon-09", "mon-10", "mon-11", "mon-12"})},
                {"hours": frozenset({"mon-09"})},
                {},
            ],
            [1.0, 0.333, 0.0],
        ),
        (client(wish("therapist", str(UUID(int=1)))), "therapist", [{}, {}], [1.0, 0.0]),
        (client(wish("not_therapist", str(UUID(int=1)))), "not_therapist", [{}, {}], [0.0, 1.0]),
        # about 55.6 km north, where 111.2 km was named
        (client(wish("distance_km", "111.19")), "distance_km", [{}, {"point": (42.5, -71.0)}], [1.0, 0.75]),
        (client(wish("distance_km", "20")), "distance_km", [{"point": None}], [0.0]),
        (client(problems=("depression", "ptsd")), "specialism", [{}, {"problems": frozenset()}], [0.5, 0.0]),
        (client(), "room", [{"places_total": 4, "places_taken": 3}, {}], [0.25, 1.0]),
    ],
)
def test_each_criterion(
    them: Client, criterion: str, others: list[dict[str, Any]], expected: list[float]
) -> None:
    found = scores(them, *(therapist(n, **changes) for n, changes in enumerate(others, 1)))
    assert found[criterion] == pytest.approx(expected, abs=1e-3)


def test_what_was_not_said_is_not_scored() -> None:
    assert set(scores(client(problems=(), point=None), THERAPIST)) == {"indication", "language", "room"}


def test_a_wish_outside_guidance_does_not_lead_away_from_it() -> None:
    assert "modality" not in scores(client(wish("modality", "act")), THERAPIST)


def test_with_nothing_indicated_the_wish_alone_chooses() -> None:
    them = client(wish("modality", "act"), first_line=frozenset(), alternatives=frozenset())
    assert scores(them, therapist(1, modalities=frozenset({"act"})), therapist(2))["modality"] == [1.0, 0.0]


def test_telehealth_that_was_asked_for_is_no_journey() -> None:
    far = therapist(1, point=(50.0, -71.0), settings=frozenset({"telehealth"}))
    assert scores(client(wish("setting", "telehealth")), far)["nearness"] == [1.0]
    assert scores(client(), far)["nearness"] == [0.0]


def test_a_criterion_of_no_weight_is_left_out() -> None:
    assert "language" not in scores(client(), THERAPIST, weights=Weights(language=0))


def test_weights_decide_between_wishes() -> None:
    them = client(wish("therapist_gender", "woman"), wish("faith", "quaker"))
    roster = Roster([therapist(1, genders=frozenset({"woman"})), therapist(2, faiths=frozenset({"quaker"}))])
    by_gender = fit(them, roster, roster.all_rows(), Weights(therapist_gender=2, faith=1)).total
    by_faith = fit(them, roster, roster.all_rows(), Weights(therapist_gender=1, faith=2)).total
    assert by_gender[0] > by_gender[1]
    assert by_faith[0] < by_faith[1]


def test_continuity_outweighs_a_tie() -> None:
    them = client(wish("therapist", str(UUID(int=2))))
    roster = Roster([therapist(1, places_total=9), therapist(2, places_total=9, places_taken=8)])
    total = fit(them, roster, roster.all_rows(), Weights()).total
    assert total[1] > total[0]


@given(chances)
@settings(max_examples=20, deadline=None)
def test_scores_are_between_nought_and_one_and_explain_the_total(chance: Chance) -> None:
    clients, therapists = chance.network(20, 30)
    roster = Roster(therapists)
    for them in clients:
        rows = eligible(them, roster)
        found = fit(them, roster, rows, Weights())
        assert ((found.scores >= 0) & (found.scores <= 1)).all()
        for place in range(len(rows)):
            parts = found.at(place)
            mean = sum(part.score * part.weight for part in parts) / sum(part.weight for part in parts)
            assert found.total[place] == pytest.approx(mean, abs=1e-3)
