"""No policy can be loaded that lowers, leaves an input without an outcome, or holds a rule that never fires.

Exhaustive where the space allows: every answer sheet of the short safety screeners, every total with every
answer to a safety item, every code of the vocabulary, every age. Properties for the rest are in
`test_urgency_properties.py`.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from services.triage.domain.chart import Chart, Sheet
from services.triage.domain.pathway import what_care
from services.triage.domain.policy import Condition, IndicationRule, LevelRule, Policy, TeamRule
from services.triage.policy.checks import POLICIES, check, load
from services.triage.policy.load import PolicyRefused
from services.triage.policy.safety_minimum import MUST_ASK
from services.triage.policy.smallest_chart import witness
from shared.clinical import DIAGNOSES, Signal
from shared.instruments import CONFIRMED, INSTRUMENTS, Answer, read
from shared.instruments.problems import ProblemCode
from shared.vocabulary import PROBLEMS, RED_FLAGS, URGENCIES, Priority, Sex, Urgency
from tests.unit.triage.samples import DAY, POLICY, chart, decided, rank, sheet

SHIPPED = [load(path) for path in sorted(POLICIES.glob("*.toml")) if path.name != "indications.toml"]
each_policy = pytest.mark.parametrize("policy", SHIPPED, ids=lambda policy: policy.name)


def test_all_that_ship_are_checked() -> None:
    assert {policy.name for policy in SHIPPED} == {
        "network-default",
        "uk-response-times",
        "us-access-standards",
    }


def when(*conditions: dict[str, Any], rule: str = "phq9-severe") -> Policy:
    asked = tuple(Condition(**condition) for condition in conditions)
    rules = tuple(replace(each, when=asked) if each.id == rule else each for each in POLICY.rules)
    return replace(POLICY, rules=rules)


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        (when({"kind": "age", "at_least": 65}, {"kind": "age", "below": 18}), "phq9-severe: can never fire"),
        (when({"kind": "age", "at_least": 131}), "can never fire"),
        (when({"kind": "age", "at_least": 20, "below": 20}), "can never fire"),
        (when({"kind": "age_unknown"}, {"kind": "age", "below": 18}), "can never fire"),
        (when({"kind": "sex", "any_of": ("male",)}, {"kind": "sex", "any_of": ("female",)}),
         "can never fire"),
        (when({"kind": "requested_priority", "any_of": ("stat",)},
              {"kind": "requested_priority", "any_of": ("routine",)}), "can never fire"),
        (when({"kind": "guardian", "any_of": ("absent",)}, {"kind": "guardian", "any_of": ("present",)}),
         "can never fire"),
        (when({"kind": "diagnosis", "any_of": ("f31",)}), "can never fire"),
        (when({"kind": "diagnosis", "any_of": ("F31", "bipolar")}), "diagnosis bipolar can never fire"),
        (when({"kind": "no_safety_question"},
              {"kind": "safety_item", "instrument": "phq9", "items": ("item9",)}), "can never fire"),
        (when({"kind": "safety_item", "instrument": "phq9", "items": ("item9",), "at_least": 4}),
         "can never fire"),
        (when({"kind": "safety_item", "items": ("item9", "item8")}), "safety_item item8 can never fire"),
        (when({"kind": "answer", "instrument": "phq9", "items": ("item1",), "at_least": 4}),
         "can never fire"),
        (when({"kind": "several_problems", "at_least": len(PROBLEMS) + 1}), "can never fire"),
        (when({"kind": "estimated_total", "instrument": "gad7", "at_least": 15},
              rule="phq9-severe-estimated"), "can never fire"),
        (when({"kind": "contradictory_sheet", "instrument": "phq9"}, rule="contradictory-sheet"),
         "can never fire"),
        (replace(POLICY, preventive=replace(POLICY.preventive, bands=frozenset({"minimal", "moderate"}))),
         "preventive: moderate is not the lowest band of phq9"),
        (replace(POLICY, preventive=replace(POLICY.preventive, problems=frozenset({"stress", "psychosis"}))),
         "preventive: psychosis never comes to it"),
        (replace(POLICY, preventive=replace(POLICY.preventive, problems=frozenset({"strain"}))),
         "preventive: problem strain is not in the vocabulary"),
        (replace(POLICY, levels=tuple(r for r in POLICY.levels if r.id != "level-trauma-screen")),
         "pcptsd5: at its worst no rule answers it"),
        (replace(POLICY, indications=tuple(i for i in POLICY.indications if i.problem != "grief")),
         "problem grief: no modality is named for it"),
    ],
)  # fmt: skip
def test_what_may_not_be_loaded(policy: Policy, fault: str) -> None:
    assert any(fault in found for found in check(policy)), list(check(policy))


def without(*ids: str) -> Policy:
    return replace(POLICY, rules=tuple(rule for rule in POLICY.rules if rule.id not in ids))


def altered(id_: str, **changes: Any) -> Policy:
    rules = tuple(replace(rule, **changes) if rule.id == id_ else rule for rule in POLICY.rules)
    assert rules != POLICY.rules
    return replace(POLICY, rules=rules)


@pytest.mark.parametrize("kind", MUST_ASK)
def test_every_doubt_reaches_a_person_under_every_policy(kind: str) -> None:
    """Whether its rule is missing, asks nobody, or asks only where something else holds too."""
    (rule,) = [rule for rule in POLICY.rules if rule.when == (Condition(kind=kind),)]
    narrower = (*rule.when, Condition(kind="age", at_least=18))
    for policy in (
        without(rule.id),
        altered(rule.id, asks_review=False, raises_to=Urgency.SOON),
        altered(rule.id, when=narrower),
    ):
        assert f"{kind}: must go to a person" in check(policy)


@pytest.mark.parametrize("kind", ["safety_not_assessed", "not_scored", "contradictory_sheet"])
def test_a_doubt_asked_of_one_instrument_alone_is_not_asked(kind: str) -> None:
    (rule,) = [rule for rule in POLICY.rules if rule.when == (Condition(kind=kind),)]
    policy = altered(rule.id, when=(Condition(kind=kind, instrument="cssrs"),))
    assert f"{kind}: must go to a person" in check(policy)


@pytest.mark.parametrize("signal", DIAGNOSES.signals.values(), ids=lambda signal: signal.id)
def test_every_diagnosis_signal_is_answered_in_time_under_every_policy(signal: Signal) -> None:
    """Whether no rule names it, it is answered later, asks nobody, or only where something else holds too."""
    asked = [r for r in POLICY.rules if r.when[0].kind == "diagnosis_signal"]
    (rule,) = [r for r in asked if signal.id in r.when[0].any_of]
    others = tuple(other for other in rule.when[0].any_of if other != signal.id)
    later = URGENCIES[URGENCIES.index(signal.level) + 1]
    narrower = (*rule.when, Condition(kind="age", at_least=18))
    for policy in (
        without(rule.id) if not others else altered(rule.id, when=(replace(rule.when[0], any_of=others),)),
        altered(rule.id, raises_to=later),
        altered(rule.id, asks_review=False),
        altered(rule.id, when=narrower),
    ):
        fault = f"diagnosis {signal.id}: no rule of its own raises it to {signal.level} and asks a person"
        assert fault in check(policy)


@pytest.mark.parametrize("code", get_args(ProblemCode))
def test_whatever_is_odd_about_a_sheet_reaches_a_person(code: str) -> None:
    (rule,) = [rule for rule in POLICY.rules if any(code in condition.any_of for condition in rule.when)]
    others = tuple(other for other in rule.when[0].any_of if other != code)
    policies = [without(rule.id)]
    if others:
        policies.append(altered(rule.id, when=(replace(rule.when[0], any_of=others),)))
    for policy in policies:
        assert f"sheet_problem {code}: must go to a person" in check(policy)


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        (altered("flag-same-day", raises_to=Urgency.SOON), "red flag mania_acute: cannot wait at the door"),
        (altered("flag-emergency", raises_to=None), "red flag weapon: cannot wait at the door"),
        (altered("asked-stat", raises_to=Urgency.URGENT), "asap: would be answered sooner than stat"),
        (altered("asked-asap", raises_to=Urgency.SOON), "urgent: would be answered sooner than asap"),
        (altered("asked-urgent", raises_to=None, asks_review=True), None),
        (altered("cssrs-method-or-earlier-act", raises_to=Urgency.EMERGENCY),
         "cssrs: intermediate would be answered sooner than most_severe"),
        (altered("cssrs-thoughts", raises_to=Urgency.VERY_URGENT),
         "cssrs: ideation_only would be answered sooner than intermediate"),
        (altered("asq-now", raises_to=Urgency.URGENT, being_told=""), None),
        (altered("asq-positive", raises_to=Urgency.EMERGENCY),
         "asq: positive would be answered sooner than acute_positive"),
        (altered("flag-unknown", raises_to=Urgency.ROUTINE), "routine raises nothing"),
        (altered("phq9-severe", raises_to=Urgency.PREVENTIVE), "preventive raises nothing"),
        (altered("sheet-problem", raises_to=Urgency.SOON), "sheet_problem can come and go"),
        (altered("consent-too-narrow", raises_to=Urgency.SOON), "problems_withheld can come and go"),
        (altered("phq9-severe-estimated", raises_to=Urgency.SOON), "estimated_total can come and go"),
    ],
)  # fmt: skip
def test_what_is_more_severe_is_never_answered_later(policy: Policy, fault: str | None) -> None:
    """A policy that lowers, or could lower when something worsens, is refused; another one is not."""
    found = list(check(policy))
    assert any(fault in each for each in found) if fault else found == []


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        (altered("asq-now", raises_to=Urgency.URGENT), "asq-now: being_told, but the psychiatrist is called"),
        (
            altered("phq9-severe", being_told="The psychiatrist is being told."),
            "phq9-severe: being_told, but",
        ),
        (altered("asq-now", text="Stay there; the psychiatrist is being told."), "asq-now: 'is being told'"),
        (altered("flag-same-day", asks_review=False), "red flag mania_acute: whoever states it is told"),
    ],
)
def test_that_somebody_is_told_is_said_only_where_it_is_true(policy: Policy, fault: str) -> None:
    assert any(fault in each for each in check(policy))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"age_from": 18, "age_below": 18}, "no age lies in its range"),
        ({"instrument": "phq9", "total_from": 28}, "phq9 never reaches 28"),
        ({"instrument": "phq9", "total_from": 10, "total_below": 10}, "no total lies in its range"),
        ({"instrument": "phq99"}, "instrument phq99 is not known"),
    ],
)
def test_an_indication_that_is_never_used_is_refused(change: dict[str, Any], fault: str) -> None:
    rule = IndicationRule(
        problem="grief",
        modality="cbt",
        strength="alternative",
        source="x",
        status=CONFIRMED,
    )
    policy = replace(POLICY, indications=(*POLICY.indications, replace(rule, **change)))
    assert any(fault in found for found in check(policy))


@pytest.mark.parametrize(
    "condition",
    [
        '{ kind = "total", instrument = "phq9", at_least = 20, below = 27 }',
        '{ kind = "red_flag", any_of = ["weapon"], at_least = 2 }',
        '{ kind = "perinatal", at_least = 1 }',
        '{ kind = "diagnosis", any_of = ["F31"], instrument = "phq9" }',
        '{ kind = "diagnosis_signal", any_of = ["self_harm"], at_least = 1 }',
        '{ kind = "who_diagnosis", any_of = ["X61"] }',
    ],
)
def test_a_parameter_that_would_be_passed_over_is_refused(tmp_path: Path, condition: str) -> None:
    """A rule that reads as if it were narrower than it is would be signed for what it does not do."""
    file = tmp_path / "mine.toml"
    text = (POLICIES / "network-default.toml").read_text()
    old = '{ kind = "total", instrument = "phq9", at_least = 20 }'
    assert old in text
    file.write_text(text.replace(old, condition, 1))
    with pytest.raises(PolicyRefused, match="takes no"):
        load(file)


@each_policy
def test_every_rule_fires_on_its_own_witness(policy: Policy) -> None:
    for rule in policy.rules:
        found = witness(rule.when)
        assert found, rule.id
        verdict = decided(found[0], policy=policy)
        assert rule.id in {finding.rule for finding in verdict.findings}
        if rule.raises_to:
            assert rank(verdict.urgency) >= rank(rule.raises_to)
        if rule.asks_review:
            assert rule.id in {finding.rule for finding in verdict.reviews}
    others: tuple[LevelRule | TeamRule, ...] = (*policy.levels, *policy.team)
    for other in others:
        found = witness(other.when)
        assert found, other.id
        assert other.id in {finding.rule for finding in what_care(found[0], policy, found[1]).findings}


# ---- nothing lowers ---------------------------------------------------------------------------------


def shown(policy: Policy, *sheets: Sheet) -> int:
    """Preventive has to be earned by knowing everything, so it counts as routine."""
    urgency = decided(chart(sheets=sheets), policy=policy).urgency
    return rank(Urgency.ROUTINE if urgency is Urgency.PREVENTIVE else urgency)


def worse(answers: tuple[Answer, ...]) -> Iterator[tuple[Answer, ...]]:
    """Each sheet that differs in one answer, now yes where it was no or left open."""
    for place, answer in enumerate(answers):
        if answer != 1:
            yield (*answers[:place], 1, *answers[place + 1 :])


@each_policy
@pytest.mark.parametrize("instrument", ["cssrs", "asq"])
def test_no_answer_of_a_safety_screener_lowers_when_it_worsens(policy: Policy, instrument: str) -> None:
    """Every sheet there is of yes, no and left open, against every one that is a step worse."""
    items = INSTRUMENTS[instrument].items
    answers: list[Answer] = [0, 1, None]
    found = {
        sheet_: shown(policy, sheet(instrument, *sheet_)) for sheet_ in product(answers, repeat=len(items))
    }
    assert len(found) == 3 ** len(items)
    assert {level for sheet_, level in found.items() if 1 in sheet_} <= {
        rank(Urgency.URGENT),
        rank(Urgency.VERY_URGENT),
    }
    lowered = [(sheet_, step) for sheet_ in found for step in worse(sheet_) if found[step] < found[sheet_]]
    assert lowered == []


@each_policy
@pytest.mark.parametrize(("instrument", "item"), [("phq9", 8), ("phqa", 8), ("epds", 9), ("core10", 5)])
def test_no_total_dilutes_a_safety_item(policy: Policy, instrument: str, item: int) -> None:
    """Every total that the other items can make, with every answer to the safety item."""
    items = INSTRUMENTS[instrument].items
    others = [place for place in range(len(items)) if place != item and items[place].scored]
    before: dict[Answer, int] = {}
    for total in range(sum(items[place].high for place in others) + 1):
        scores = dict.fromkeys(range(len(items)), 0)
        for place in others:
            scores[place] = min(items[place].high, total)
            total -= scores[place]
        levels: list[int] = []
        for answer in (0, None, *range(1, items[item].high + 1)):
            answers: list[Answer] = [items[p].score(s) for p, s in scores.items()]
            answers[item] = answer
            level = shown(policy, Sheet(DAY, read(instrument, answers)))
            assert level >= before.get(answer, level), "a higher total lowered"
            before[answer] = level
            levels.append(level)
        assert levels == sorted(levels), "a worse answer lowered"
        assert min(levels[1:]) >= rank(Urgency.URGENT)


@each_policy
def test_one_code_more_never_lowers(policy: Policy) -> None:
    """Every pair of red flags, and every flag with every problem."""
    alone = {flag: rank(decided(chart(red_flags={flag}), policy=policy).urgency) for flag in RED_FLAGS}
    for one, other in product(sorted(RED_FLAGS), repeat=2):
        both = rank(decided(chart(red_flags={one, other}), policy=policy).urgency)
        assert both == max(alone[one], alone[other])
    for flag, problem in product(sorted(RED_FLAGS), sorted(PROBLEMS)):
        both = rank(decided(chart(red_flags={flag}, problems={problem}), policy=policy).urgency)
        assert both >= alone[flag]


# ---- every input has an outcome ---------------------------------------------------------------------


def inputs() -> Iterator[Chart]:
    """Every code of the vocabulary by itself, on a chart on which nothing else speaks."""
    yield Chart()
    yield from (chart(red_flags={flag}) for flag in (*sorted(RED_FLAGS), "a_new_flag"))
    yield from (chart(problems={problem}) for problem in (*sorted(PROBLEMS), "a_new_problem"))
    yield from (chart(age=age) for age in (None, *range(131)))
    yield from (
        chart(requested_priority=priority, sex=sex, guardian=guardian, perinatal=perinatal, age=age)
        for priority, sex, guardian, perinatal, age in product(
            Priority, Sex, ("present", "absent", "not_needed"), (None, True, False), (None, 10, 17, 40, 70)
        )
    )
    for instrument in INSTRUMENTS.values():
        for place, item in enumerate(instrument.items):
            for answer in (None, "refused", "unknown", *range(item.low, item.high + 1)):
                answers: list[Any] = [each.score(each.low) for each in instrument.items]
                answers[place] = answer
                yield chart(sheets=(sheet(instrument.key, *answers),))


@each_policy
def test_every_input_has_an_outcome_with_a_reason_and_a_way_on(policy: Policy) -> None:
    count = 0
    for one in inputs():
        verdict = decided(one, policy=policy)
        assert verdict.findings and all(f.text and f.datum for f in verdict.findings)
        assert (verdict.review_by is None) == (not verdict.reviews)
        pathway = what_care(one, policy, verdict.urgency)
        assert "therapist" in pathway.team
        not_known = (
            one.age is None
            or one.requested_priority is Priority.UNKNOWN
            or one.red_flags - RED_FLAGS
            or one.problems - PROBLEMS
            or any(s.reading.not_assessed for s in one.sheets)
        )
        if not_known:
            assert verdict.reviews, "what is not known goes to a person"
            assert rank(verdict.urgency) >= rank(Urgency.SOON)
        count += 1
    assert count > 1000


@each_policy
def test_every_problem_of_an_adult_has_an_offer_at_every_total(policy: Policy) -> None:
    for problem in sorted(PROBLEMS - {"child_depression"}):
        for total in range(28):
            answers = [min(3, max(0, total - 3 * place)) for place in range(9)]
            one = chart(problems={problem}, sheets=(sheet("phq9", *answers),))
            pathway = what_care(one, policy, decided(one, policy=policy).urgency)
            if not pathway.indications:
                assert problem in {i.problem for i in policy.indications if i.only_preventive}, problem
