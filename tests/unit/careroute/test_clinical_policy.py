"""The page that is signed is the policy that is loaded, rule by rule, in words."""

from pathlib import Path

import pytest

from careroute.policy.clinical_page import page
from careroute.policy.clinical_words import PLAIN, clock, condition
from services.triage.domain.conditions import KINDS
from services.triage.domain.policy import Condition
from services.triage.policy.checks import POLICIES, load
from services.triage.policy.forbidden_words import forbidden_in
from shared.vocabulary import Urgency

FILE = Path(__file__).parents[3] / "docs" / "clinical-policy.md"
MADE = page()


def test_the_page_is_current() -> None:
    assert FILE.read_text() == MADE, (
        "make it anew: python -m careroute.policy.clinical_page > docs/clinical-policy.md"
    )


def test_every_rule_is_on_it_with_text_source_and_status() -> None:
    for path in POLICIES.glob("*.toml"):
        if path.name != "indications.toml":
            policy = load(path)
            assert f"## {policy.name}, version {policy.version}" in MADE
            ids = [each.id for each in policy.rules]
            ids += [each.id for each in policy.levels] + [each.id for each in policy.team]
            assert [id_ for id_ in ids if f"#### {id_}\n" not in MADE] == []
            for text in policy.texts():
                assert text in MADE
            for rule in policy.rules:
                assert f"> {rule.text}\n\nSource: {rule.source} (*{rule.status}*)." in MADE
            for indication in policy.indications:
                assert indication.source in MADE
            assert all(code in MADE for codes in policy.reasons.values() for code in codes)
            assert f"| {policy.name}, version {policy.version} | name and role | date | signature |" in MADE


def test_the_page_predicts_nothing() -> None:
    assert forbidden_in(MADE) == []


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (Condition(kind="total", instrument="phq9", at_least=20),
         "the answers of PHQ-9 add up to 20 or more"),
        (Condition(kind="age", at_least=14, below=66), "the age is 14 to 65"),
        (Condition(kind="age", below=18), "the age is under 18"),
        (Condition(kind="age", at_least=65), "the age is 65 or more"),
        (Condition(kind="problem", any_of=("panic", "social_anxiety")),
         "the referral is for panic or social anxiety"),
        (Condition(kind="safety_item", instrument="phq9", items=("item9",)),
         "a safety answer of PHQ-9 is 1 or more: item9 (thoughts of death or self-harm)"),
        (Condition(kind="urgency", urgency=Urgency.VERY_URGENT), "the urgency is very urgent or sooner"),
    ],
)  # fmt: skip
def test_a_condition_in_words(one: Condition, said: str) -> None:
    assert condition(one) == said


def test_there_are_words_for_every_kind_of_condition() -> None:
    for kind in KINDS:
        any_of = ("self_harm",) if kind == "diagnosis_signal" else ("x",)
        one = Condition(kind=kind, instrument=None if kind in PLAIN else "phq9", at_least=1, any_of=any_of)
        assert condition(one)


def test_clocks_in_words() -> None:
    us = load(POLICIES / "us-access-standards.toml").clocks
    assert [clock(us[urgency]) for urgency in Urgency] == [
        "5 minutes",
        "6 hours",
        "48 hours",
        "7 days",
        "10 business days",
        "20 business days",
    ]
