"""A policy that could not be signed is refused, with every fault; and no text of triage predicts anything."""

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.triage.domain.policy import Condition, Policy
from services.triage.policy import checks as policy_module
from services.triage.policy.checks import POLICIES, check, load
from services.triage.policy.forbidden_words import forbidden_in
from shared.errors import Misconfigured
from shared.vocabulary import Urgency
from tests.unit.triage.samples import POLICY

ROOT = Path(__file__).parents[3]
DEFAULT = POLICIES / "network-default.toml"


def without(rule_id: str) -> Policy:
    assert any(rule.id == rule_id for rule in POLICY.rules)
    return replace(POLICY, rules=tuple(rule for rule in POLICY.rules if rule.id != rule_id))


def changed(rule_id: str, **changes: Any) -> Policy:
    return replace(POLICY, rules=tuple(replace(r, **changes) if r.id == rule_id else r for r in POLICY.rules))


def item(instrument: str, key: str, at_least: int = 1) -> tuple[Condition, ...]:
    return (Condition(kind="safety_item", instrument=instrument, items=(key,), at_least=at_least),)


def total(instrument: str, at_least: int) -> tuple[Condition, ...]:
    return (Condition(kind="total", instrument=instrument, at_least=at_least),)


@pytest.mark.parametrize(
    "policy",
    [
        changed("phq9-severe", when=total("phq9", 27)),
        changed("phq9-severe", when=(Condition(kind="answer", instrument="phq9", items=("item8",)),)),
        changed("sheet-problem", raises_to=None),
    ],
)
def test_what_a_policy_may_do(policy: Policy) -> None:
    assert list(check(policy)) == []


def test_what_is_shipped_can_be_loaded() -> None:
    assert list(check(POLICY)) == []
    assert set(POLICY.clocks) == set(Urgency)


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        (without("phq9-item9"), "phq9.item9: no rule of its own"),
        (without("cssrs-intent-plan-or-recent-act"), "cssrs.q4: no rule of its own"),
        (changed("phq9-item9", raises_to=Urgency.SOON), "phq9.item9: no rule of its own"),
        (without("flag-emergency"), "red flag overdose: no rule answers it"),
        (without("asked-unknown"), "requested priority unknown: no rule answers it"),
        (changed("asked-unknown", asks_review=False), "requested priority unknown: must go to a person"),
        (without("safety-not-assessed"), "safety_not_assessed: must go to a person"),
        (changed("phq9-severe", raises_to=Urgency.ROUTINE), "phq9-severe: routine raises nothing"),
        (changed("phq9-severe", raises_to=None), "phq9-severe: does nothing"),
        (changed("safety-conflict", raises_to=Urgency.SOON), "safety_conflict can come and go"),
        (changed("phq9-severe", holds=True), "what holds must ask for a review"),
        (changed("phq9-severe", id="phq9-item9"), "phq9-item9: this id is used twice"),
        (changed("phq9-severe", text="This person is low risk."), "'low risk' is not allowed"),
        (replace(POLICY, clocks=POLICY.clocks | {Urgency.URGENT: POLICY.clocks[Urgency.ROUTINE]}),
         "soon must be longer than urgent"),
        (replace(POLICY, clocks=POLICY.clocks | {Urgency.SOON: POLICY.clocks[Urgency.URGENT]}),
         "soon must be longer than urgent"),
        (changed("phq9-item9", when=item("phq9", "item9", at_least=2)), "phq9.item9: no rule of its own"),
        (changed("phq9-item9", raises_to=None), "phq9.item9: no rule of its own"),
        (changed("phq9-item9", when=(*item("phq9", "item9"), Condition(kind="age", at_least=18))),
         "phq9.item9: no rule of its own"),
        (changed("phq9-severe", when=total("phq9", 28)), "phq9 never reaches 28"),
        (changed("phq9-severe", when=total("cssrs", 1)), "cssrs never reaches 1"),
        (changed("phq9-severe", when=item("phq9", "item8")), "not all of item8 are safety items"),
        (changed("mdq-positive", when=(Condition(kind="clusters", instrument="phq9"),)),
         "no criteria to meet"),
        (changed("phq9-severe", when=(Condition(kind="urgency", urgency=Urgency.URGENT),)),
         "cannot depend on the urgency"),
        (replace(POLICY, reasons={"confirm": {"agrees": "yes"}}), "reasons: needs"),
        (replace(POLICY, next_steps={}), "next_steps"),
    ],
)  # fmt: skip
def test_what_a_policy_may_not_do(policy: Policy, fault: str) -> None:
    assert any(fault in found for found in check(policy)), list(check(policy))


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        (lambda text: text.replace('items = ["item9"]', 'items = ["item99"]', 1), ["item99 is not known"]),
        (lambda text: text, []),
        (lambda text: text.replace('"overdose", "weapon"]', '"overdose", "wepon"]', 1),
         ["not in the vocabulary: wepon"]),
        (lambda text: text.replace('kind = "past_attempt"', 'kind = "postcode"', 1), ["kind is not one of"]),
        (lambda text: text.replace("emergency = { minutes = 5 }", "emergency = { }"), ["a clock needs"]),
        (lambda text: text.replace('raises_to = "urgent"', 'lowers_to = "routine"', 1), ["lowers_to"]),
        (lambda text: text.replace('instrument = "gad7"', 'instrument = "gad9"', 1).replace(
            'instrument = "phqa", at_least = 20', 'instrument = "phqb", at_least = 20'),
         ["gad9 is not known", "phqb is not known"]),
        (lambda text: text + "\n[[rule", ["not TOML"]),
    ],
)  # fmt: skip
def test_a_file_with_faults_is_refused_naming_all_of_them(
    tmp_path: Path, change: Callable[[str], str], faults: list[str]
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(change(DEFAULT.read_text()))
    if not faults:
        assert load(file) == POLICY
        return
    with pytest.raises(Misconfigured) as refused:
        load(file)
    for fault in faults:
        assert fault in str(refused.value)
    assert "mine.toml" in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"absent\.toml"):
        load(tmp_path / "absent.toml")


def test_what_has_no_confirmed_source_says_so() -> None:
    for statuses in (
        {rule.status for rule in POLICY.rules if rule.source},
        {rule.status for rule in POLICY.team if rule.source},
        {rule.status for rule in POLICY.indications if rule.source},
    ):
        assert statuses == {"confirmed source", "to be confirmed by a clinician"}
    assert {rule.status for rule in POLICY.levels if rule.source} == {"to be confirmed by a clinician"}


@pytest.mark.parametrize(
    "words",
    ["low risk", "no risk", "Low-Risk client", "suicide risk score", "is safe", "this predicts",
     "at risk of harm", "not suicidal", "the likelihood of an attempt", "all clear"],
)  # fmt: skip
def test_words_that_no_text_may_use(words: str) -> None:
    assert forbidden_in(words)


@pytest.mark.parametrize("words", ["safety plan", "safeguarding duties", "respond within 4 hours"])
def test_words_that_a_text_may_use(words: str) -> None:
    assert not forbidden_in(words)


def strings(path: Path) -> list[str]:
    """Every text that the code itself can say: its strings, without the docstrings."""
    tree = ast.parse(path.read_text())
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
    ]


def test_no_text_of_triage_predicts_or_labels() -> None:
    code = [
        *Path(policy_module.__file__).parents[1].rglob("*.py"),
        *(ROOT / "shared/instruments").glob("*.py"),
    ]
    code = [path for path in code if path.name != "forbidden_words.py"]
    said = [text for path in code for text in strings(path)]
    said += POLICY.texts()
    said += [path.read_text() for path in POLICIES.glob("*.toml")]
    assert len(said) > 300
    assert [word for text in said for word in forbidden_in(text)] == []
