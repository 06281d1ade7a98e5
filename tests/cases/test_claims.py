"""What is claimed is true: where an answer, a decision or a notice says that somebody is being told, an alert
to them is open. It is not said because of what was stated before."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from services.triage.domain.conditions import MONOTONE
from services.triage.domain.policy import Condition, Policy, Rule
from services.triage.policy.checks import POLICIES, load
from services.triage.policy.forbidden_words import BEING_TOLD
from services.triage.policy.smallest_chart import worst
from shared.clinical import DIAGNOSES
from shared.events import ReferralTriaged, ReviewRequested
from shared.instruments import INSTRUMENTS, Instrument
from shared.vocabulary import EXPRESS_RED_FLAGS, PROBLEMS, Urgency
from tests.cases.pipeline import (
    BASE,
    NOW,
    TODAY,
    Result,
    acknowledge,
    amend,
    confirm,
    patched,
    screen,
    submit,
)

Patch = Mapping[str, Any]

SHIPPED: Final = {path.stem: load(path) for path in POLICIES.glob("*.toml") if path.stem != "indications"}
WHO: Final = {"psychiatrist": "psychiatrist", "clinician": "clinician"}
SHARED: Final = patched({"consent": {"share_substance_use": True}})
"""Nothing is withheld, so that every rule that fires is read by everybody."""
UNRELATED: Final[tuple[Patch, ...]] = (
    {"client": {"contact": {"phone": "555-0100"}}},
    {"goals": [{"code": "sleep"}]},
    {"notes": "Prefers mornings."},
)


@dataclass(frozen=True)
class Statement:
    """What somebody may state by a patch, and what makes a rule of a policy fire on it."""

    policy: str
    rule: str
    patch: Patch

    def __str__(self) -> str:
        said = re.sub(r"[^a-z0-9.]+", "-", str(self.patch).lower()).strip("-")
        return f"{self.policy}-{self.rule}-{said}"


def sentences(result: Result) -> Iterator[str]:
    """All that anybody may read of what the request came to."""
    if advice := result.answer.get("safety_advice"):
        yield advice["text"]
    for decision in result.decisions:
        if isinstance(decision, ReferralTriaged):
            yield from (rule.text for rule in decision.rules)
        if isinstance(decision, ReviewRequested):
            yield from (rule.text for rule in decision.reasons)
    for notice in result.notices:
        yield from (notice.title, notice.text)


def claimed(result: Result) -> set[str]:
    """The audiences of whom it is said that they are being told."""
    found = set()
    for sentence in sentences(result):
        for part in re.split(r"(?<=[.;])\s", sentence):
            if BEING_TOLD.search(part):
                who = next((audience for word, audience in WHO.items() if word in part.lower()), None)
                assert who, f"whom does it mean? {part}"
                found.add(who)
    return found


def open_alerts(result: Result) -> set[str]:
    return {alert.audience for alert in result.known.open}


def statements(name: str, rule: Rule) -> Iterator[Statement]:
    """Each code and each item of the rule by itself, with what else the rule wants."""
    others: dict[str, Any] = {}
    for condition in rule.when[1:]:
        others = patched(next(patches(condition)), others)
    for patch in patches(rule.when[0]):
        yield Statement(name, rule.id, patched(patch, others))


def patches(condition: Condition) -> Iterator[Patch]:
    match condition.kind:
        case "red_flag":
            yield from ({"red_flags": [flag]} for flag in condition.any_of)
        case "problem":
            yield from ({"problems": [problem]} for problem in condition.any_of)
        case "diagnosis":
            yield from ({"diagnoses": [code]} for code in condition.any_of)
        case "diagnosis_signal":
            yield from ({"diagnoses": [code]} for code in DIAGNOSES.examples(condition.any_of))
        case "who_diagnosis":
            yield {"diagnoses": ["X60"]}
        case "requested_priority":
            known = [each for each in condition.any_of if each != "unknown"]
            yield from ({"requested_priority": word} for word in (known or ["when you can"]))
        case "external_level":
            yield from ({"external_levels": [level]} for level in condition.any_of)
        case "several_problems":
            yield {"problems": sorted(PROBLEMS)[: condition.at_least]}
        case "past_attempt":
            yield {"history": {"past_attempt": True}}
        case "perinatal":
            yield {"client": {"perinatal": True}}
        case "age":
            born = f"{NOW.year - (condition.at_least or 11)}-01-01"
            yield {"client": {"birth_date": born, "guardian": {"name": "Parent", "present": True}}}
        case "safety_item":
            yield from (sheet(i, item) for i in instruments(condition) for item in items(i, condition))
        case "total" | "answer" | "clusters":
            yield from (sheet(instrument, None) for instrument in instruments(condition))


def instruments(condition: Condition) -> list[Instrument]:
    return [INSTRUMENTS[condition.instrument]] if condition.instrument else list(INSTRUMENTS.values())


def items(instrument: Instrument, condition: Condition) -> list[str]:
    return [item for item in instrument.safety_items if item in condition.items]


def sheet(instrument: Instrument, item: str | None) -> Patch:
    """The one item at its highest, all others at their lowest; without one, every item at its worst."""
    worst_ = dict(worst(instrument).reading.values)
    answers = [
        (each.high if each.key == item else each.low) if item else worst_.get(each.key, each.high)
        for each in instrument.items
    ]
    return {"screenings": [{"instrument": instrument.key, "taken_on": TODAY, "answers": answers}]}


STATEMENTS: Final = [
    statement
    for name, policy in SHIPPED.items()
    for rule in policy.rules
    if all(condition.kind in MONOTONE for condition in rule.when)
    for statement in statements(name, rule)
]
BY_NAME: Final = {str(statement): statement for statement in STATEMENTS}
every = pytest.mark.parametrize("statement", BY_NAME.values(), ids=str)


def holds(result: Result) -> set[str]:
    """Who is claimed to be told, each of them with an alert open that nobody has acknowledged."""
    assert result.status == 202, result.answer
    assert claimed(result) <= open_alerts(result)
    return claimed(result)


def again(statement: Statement, before: Result) -> Result:
    triage = SHIPPED[statement.policy]
    sheets = statement.patch.get("screenings")
    if sheets and len(statement.patch) == 1:
        return screen(before, *sheets, triage=triage)
    return amend(before, statement.patch, triage=triage)


def settled(result: Result, policy: Policy) -> Result:
    return acknowledge(confirm(acknowledge(result), triage=policy))


def test_every_rule_that_can_be_stated_is_tried() -> None:
    assert len(BY_NAME) == len(STATEMENTS) > 200
    for name, policy in SHIPPED.items():
        stated = {s.rule for s in STATEMENTS if s.policy == name}
        left = {r.id for r in policy.rules if all(c.kind in MONOTONE for c in r.when)} - stated
        assert left <= {
            "flag-unknown",
            "unknown-problem",
            "notes-to-be-read",
            "no-consent",
            "minor-without-guardian",
            "minor-guardian-unclear",
            "not-understood-safety",
            "not-understood-priority",
            "not-understood-person",
            "not-understood-wishes",
            "not-understood-clinical",
            "not-understood-limit",
        }


@every
def test_whoever_is_said_to_be_told_is_called(statement: Statement) -> None:
    """When it is stated for the first time, and when it is stated again after everybody has answered and a
    clinician has confirmed."""
    policy = SHIPPED[statement.policy]
    rule = next(rule for rule in policy.rules if rule.id == statement.rule)
    stated = submit(patched(statement.patch, SHARED), triage=policy)
    restated = again(statement, settled(stated, policy))
    for result in (stated, restated):
        holds(result)
        assert result.triaged and rule.id in {each.rule for each in result.triaged.rules}
        if rule.being_told:
            assert "psychiatrist" in claimed(result) and result.calls("psychiatrist")
        if result.answer["safety_advice"]:
            assert result.calls("clinician")
        if rule.asks_review:
            assert result.calls("clinician")


@every
def test_a_change_of_something_else_claims_nothing_and_calls_nobody(statement: Statement) -> None:
    policy = SHIPPED[statement.policy]
    stated = submit(patched(statement.patch, SHARED), triage=policy)
    for before in (acknowledge(stated), settled(stated, policy)):
        for patch in UNRELATED:
            after = amend(before, patch, triage=policy)
            assert after.status == 202 and after.answer["safety_advice"] is None
            assert not claimed(after)
            assert not [notice for notice in after.notices if notice.is_alert]
            assert {getattr(decision, "restates", None) for decision in after.decisions} <= {None}


@pytest.mark.parametrize("policy", SHIPPED.values(), ids=lambda policy: policy.name)
@pytest.mark.parametrize("one", sorted(EXPRESS_RED_FLAGS))
@pytest.mark.parametrize("other", ["attempt_in_progress", "command_voices", "suicidal_thoughts"])
def test_one_flag_then_another(policy: Policy, one: str, other: str) -> None:
    stated = submit(patched({"red_flags": [one]}), triage=policy)
    both = [one, other] if other != one else [one]
    for before in (acknowledge(stated), settled(stated, policy)):
        after = amend(before, {"red_flags": both}, triage=policy)
        assert holds(after)
        assert after.answer["safety_advice"]["because"] == [f"flag.{flag}" for flag in both]


def test_advice_names_what_the_request_states_and_nothing_else() -> None:
    before = settled(submit(patched({"red_flags": ["overdose"]})), SHIPPED["network-default"])
    sheets = BASE["screenings"]
    after = amend(before, {"red_flags": ["overdose", "weapon"], "screenings": sheets})
    assert after.answer["safety_advice"]["because"] == ["flag.overdose", "flag.weapon"]
    after = amend(before, {"diagnoses": ["F33.1"], "screenings": sheets})
    assert after.answer["safety_advice"] is None
    assert after.answer["express"] is True


def test_what_cannot_wait_is_said_of_a_request_that_says_so() -> None:
    """Saying so without saying why is a statement too; a patch that does not say it is none."""
    before = acknowledge(submit(patched({"express": True})))
    assert before.in_triage and before.in_triage.state.review
    assert not amend(before, {"notes": "Prefers mornings."}).notices
    after = amend(before, {"express": True})
    assert after.calls("clinician") and after.review and after.review.restates is Urgency.URGENT
