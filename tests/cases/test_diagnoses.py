"""What a diagnosis code says by itself: how soon, who looks, and what its sender is told at once."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from services.triage.policy.checks import POLICIES, load
from shared.events import ReferralSubmitted
from shared.network import Network
from tests.cases.pipeline import RULES, TODAY, TRIAGE, Result, patched, submit

CASES: Final[list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("diagnoses.json").read_text().replace("TODAY", TODAY)
)
WHO_RULES: Final = replace(RULES, network=Network(who_diagnosis_codes=True))
WHO_TRIAGE: Final = load(POLICIES / "network-default.toml", who_diagnosis_codes=True)


def outcome(case: dict[str, Any]) -> Result:
    who = case.get("who_diagnosis_codes", False)
    return submit(
        patched(case["input"]), rules=WHO_RULES if who else RULES, triage=WHO_TRIAGE if who else TRIAGE
    )


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_diagnosis(case: dict[str, Any]) -> None:
    result, right = outcome(case), case["right"]
    assert result.status == 202
    assert result.urgency == right["urgency"]
    assert bool(result.review) is right["review"]
    assert result.answer["express"] is right["express"]
    assert bool(result.answer["safety_advice"]) is right["advice"]
    assert result.warnings == set(right.get("warnings", ()))
    assert {audience for audience in ("psychiatrist", "clinician") if result.calls(audience)} >= set(
        right.get("calls", ())
    )
    if not right["review"]:
        assert not result.notices or not result.calls("clinician")


def test_a_code_that_nobody_reads_is_named_to_triage() -> None:
    fact = submit(patched({"diagnoses": ["F33.1", "X61"]})).fact
    assert isinstance(fact, ReferralSubmitted) and fact.case.not_understood == ("diagnosis",)


def test_the_advice_names_the_signal_and_not_the_code() -> None:
    advice = submit(patched({"diagnoses": ["T39.1X2A", "R45.851"]})).answer["safety_advice"]
    assert advice["because"] == ["diagnosis.self_harm", "diagnosis.suicidal_ideation"]
