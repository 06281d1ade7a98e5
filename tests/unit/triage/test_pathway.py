"""What kind of care and which team, case by case."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.triage.domain.pathway import Pathway, what_care
from services.triage.domain.policy import LEVELS
from services.triage.policy.checks import check
from shared.vocabulary import EXTERNAL_LEVELS, PROBLEMS, LevelOfCare, Sex, Urgency
from tests.unit.triage.samples import CALM, POLICY, chart, decided, sheet

DRINKS_3 = (sheet("phq9", *CALM), sheet("auditc", 1, 1, 1))
DRINKS_4 = (sheet("phq9", *CALM), sheet("auditc", 2, 1, 1))


def pathway(**changes: Any) -> Pathway:
    case = chart(**changes)
    return what_care(case, POLICY, decided(case).urgency)


def modalities(found: Pathway, strength: str = "first_line") -> list[str]:
    return [each.modality for each in found.indications if each.strength == strength]


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, LevelOfCare.LOW_INTENSITY),
        ({"sheets": (sheet("phq9", 3, 3, 3, 1, 0, 0, 0, 0, 0),)}, LevelOfCare.MODERATE),
        ({"sheets": (sheet("phq9", *[3] * 6, 2, 0, 0),)}, LevelOfCare.MODERATE),
        ({"sheets": (sheet("phq9", *[3] * 6, 2, 0, 0, 3),)}, LevelOfCare.HIGH),  # and life is very difficult
        ({"sheets": (sheet("phq9", *[3] * 6, 2, 0, 0, 2),)}, LevelOfCare.HIGH),
        ({"sheets": (sheet("phq9", *[3] * 6, 2, 0, 0, 1),)}, LevelOfCare.MODERATE),
        ({"sheets": (sheet("phq9", *[3] * 6, 2, 0, 0),), "treatments_without_benefit": 1}, LevelOfCare.HIGH),
        ({"sheets": (sheet("phq9", *CALM[:8], 1),)}, LevelOfCare.MODERATE),
        ({"sheets": (sheet("cssrs", 0, 1, 1, 0, 0, 0),)}, LevelOfCare.HIGH),
        ({"sheets": (sheet("cssrs", 0, 1, 0, 1, 0, 0),)}, LevelOfCare.ACUTE),
        ({"red_flags": {"delirium"}}, LevelOfCare.ACUTE),
        ({"problems": {"anorexia"}}, LevelOfCare.HIGH),
        ({"problems": {"ptsd", "alcohol"}}, LevelOfCare.HIGH),
        ({"problems": {"grief"}}, LevelOfCare.LOW_INTENSITY),
        ({"problems": {"wellbeing"}}, LevelOfCare.SELF_MANAGEMENT),
        ({"treatments_without_benefit": 2}, LevelOfCare.HIGH),
    ],
)
def test_the_highest_single_finding_decides_the_level(changes: dict[str, Any], level: LevelOfCare) -> None:
    assert pathway(**changes).level_of_care is level


@pytest.mark.parametrize(
    ("given", "level"),
    [
        ("iar_1", LevelOfCare.LOW_INTENSITY),
        ("iar_2", LevelOfCare.LOW_INTENSITY),
        ("iar_3", LevelOfCare.MODERATE),
        ("iar_4", LevelOfCare.HIGH),
        ("iar_5", LevelOfCare.ACUTE),
        ("locus_0", LevelOfCare.LOW_INTENSITY),
        ("locus_1", LevelOfCare.LOW_INTENSITY),
        ("locus_2", LevelOfCare.LOW_INTENSITY),
        ("locus_3", LevelOfCare.MODERATE),
        ("locus_4", LevelOfCare.HIGH),
        ("locus_5", LevelOfCare.ACUTE),
        ("locus_6", LevelOfCare.ACUTE),
    ],
)
def test_a_level_that_another_tool_gave_is_taken_as_an_input(given: str, level: LevelOfCare) -> None:
    """It raises as any other finding would, says so, and changes nothing about how soon."""
    found = pathway(external_levels=frozenset({given}))
    assert found.level_of_care is level
    assert f"external_level={given}" in {finding.datum for finding in found.findings}
    assert decided(chart(external_levels=frozenset({given}))).urgency is Urgency.ROUTINE
    worse = pathway(external_levels=frozenset({given}), red_flags={"delirium"})
    assert worse.level_of_care is LevelOfCare.ACUTE


def test_every_level_of_another_tool_means_something_here() -> None:
    for level in EXTERNAL_LEVELS:
        assert pathway(external_levels=frozenset({level})).findings
    levels = tuple(rule for rule in POLICY.levels if rule.id != "level-external-high")
    assert "external level iar_4: no rule says what it means here" in check(replace(POLICY, levels=levels))


def test_scores_of_several_instruments_are_not_added_up() -> None:
    both = pathway(sheets=(sheet("phq9", *[1] * 8, 0), sheet("gad7", *[1] * 7)))  # 8 and 7, each below 10
    assert both.level_of_care is LevelOfCare.LOW_INTENSITY


@pytest.mark.parametrize(
    ("changes", "team"),
    [
        ({}, ("therapist",)),
        ({"red_flags": {"withdrawal_danger"}}, ("primary_care", "psychiatrist", "therapist")),
        (
            {"red_flags": {"eating_disorder_medical_instability"}},
            ("primary_care", "psychiatrist", "therapist"),
        ),
        ({"red_flags": {"delirium"}}, ("primary_care", "psychiatrist", "therapist")),
        ({"red_flags": {"medication_toxicity"}}, ("primary_care", "psychiatrist", "therapist")),
        ({"diagnoses": {"F05"}}, ("primary_care", "psychiatrist", "therapist")),
        ({"red_flags": {"mania_acute"}}, ("psychiatrist", "therapist")),
        ({"red_flags": {"perinatal_psychosis"}}, ("psychiatrist", "therapist")),
        ({"red_flags": {"medication_question"}}, ("psychiatrist", "therapist")),
        ({"problems": {"psychosis"}}, ("psychiatrist", "therapist")),
        ({"diagnoses": {"F31.4"}}, ("psychiatrist", "therapist")),
        ({"sheets": (sheet("cssrs", 0, 1, 0, 1, 0, 0),)}, ("psychiatrist", "therapist")),
        ({"treatments_without_benefit": 1}, ("therapist",)),
        ({"treatments_without_benefit": 2}, ("therapist", "psychiatrist")),
        ({"problems": {"chronic_pain"}}, ("therapist", "primary_care")),
        ({"problems": {"grief", "stress", "anxiety"}}, ("therapist",)),
        ({"problems": {"grief", "stress", "anxiety", "depression"}}, ("therapist", "psychiatrist")),
        ({"sex": Sex.FEMALE, "sheets": DRINKS_3}, ("therapist", "primary_care")),
        ({"sex": Sex.UNKNOWN, "sheets": DRINKS_3}, ("therapist", "primary_care")),
        ({"sex": Sex.MALE, "sheets": DRINKS_3}, ("therapist",)),
        ({"sex": Sex.MALE, "sheets": DRINKS_4}, ("therapist", "primary_care")),
        ({"sheets": (sheet("phq9", *CALM), sheet("mdq", *[1] * 13, 1, 3))}, ("psychiatrist", "therapist")),
        ({"age": 70}, ("therapist", "primary_care")),
        ({"perinatal": True}, ("therapist", "primary_care")),
    ],
)  # fmt: skip
def test_the_team_in_the_order_in_which_the_person_meets_it(
    changes: dict[str, Any], team: tuple[str, ...]
) -> None:
    assert pathway(**changes).team == team


class TestIndications:
    def test_less_severe_depression_starts_with_the_least_intrusive(self) -> None:
        assert modalities(pathway(sheets=(sheet("phq9", *[2] * 7, 1, 0),)))[0] == "guided_self_help"  # 15

    def test_more_severe_depression_starts_with_individual_therapy(self) -> None:
        severe = pathway(sheets=(sheet("phq9", *[2] * 8, 0),))  # 16, NICE NG222's cut
        assert modalities(severe) == ["cbt"]
        assert "guided_self_help" in modalities(severe, "alternative")

    def test_the_newest_total_counts(self) -> None:
        sheets = (
            sheet("phq9", *[3] * 8, 0, on=date(2026, 1, 1)),
            sheet("phq9", *CALM, on=date(2026, 2, 1)),
        )
        assert modalities(pathway(sheets=sheets))[0] == "guided_self_help"
        assert modalities(pathway(sheets=sheets[::-1]))[0] == "guided_self_help"

    def test_another_instruments_total_does_not(self) -> None:
        sheets = (sheet("phq9", *[2] * 8, 0), sheet("gad7", *[0] * 7, on=date(2026, 3, 2)))
        assert modalities(pathway(sheets=sheets)) == ["cbt"]

    def test_without_a_total_both_sides_are_offered(self) -> None:
        assert {"guided_self_help", "cbt"} <= set(modalities(pathway(sheets=())))

    @pytest.mark.parametrize(
        ("age", "problem", "first"),
        [
            (15, "anorexia", ["family_based_treatment"]),
            (17, "anorexia", ["family_based_treatment"]),
            (18, "anorexia", ["cbt_ed"]),
            (17, "ptsd", ["cbt"]),
            (18, "ptsd", ["pe", "cpt", "emdr"]),
            (None, "ptsd", ["pe", "cpt", "emdr"]),
        ],
    )
    def test_age_decides_between_guidelines(self, age: int | None, problem: str, first: list[str]) -> None:
        assert modalities(pathway(age=age, guardian="present", problems={problem})) == first

    def test_those_who_need_little_are_offered_groups(self) -> None:
        little = pathway(problems={"stress"})
        assert decided(chart(problems={"stress"})).urgency is Urgency.PREVENTIVE
        assert modalities(little)[0] == "psychoeducation_group"
        more = pathway(problems={"stress", "grief"})
        assert "psychoeducation_group" not in modalities(more)

    @pytest.mark.parametrize("problem", sorted(PROBLEMS))
    @pytest.mark.parametrize("age", [10, 40])
    def test_every_problem_has_a_first_line_with_its_source(self, problem: str, age: int) -> None:
        found = pathway(problems={problem}, age=age, guardian="present")
        assert modalities(found)
        assert all(each.source and each.status for each in found.indications)
        assert len({each.modality for each in found.indications}) == len(found.indications)


def test_a_level_or_a_member_says_why() -> None:
    case = chart(red_flags={"delirium"}, age=80)
    found = what_care(case, POLICY, decided(case).urgency)
    assert {"level-flag-acute", "team-medical-first", "team-older-adult"} <= {f.rule for f in found.findings}


def test_urgency_and_level_of_care_are_two_answers() -> None:
    """Asked for at once with nothing found is soon answered, and not therefore acute care."""
    case = chart()
    asked_for = what_care(case, POLICY, Urgency.EMERGENCY)
    assert LEVELS.index(asked_for.level_of_care) < LEVELS.index(LevelOfCare.ACUTE)
