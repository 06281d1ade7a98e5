"""How soon, case by case. The properties that hold for all cases are in `test_urgency_properties.py`."""

import csv
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.triage.domain.chart import Chart
from services.triage.domain.policy import Finding
from services.triage.domain.urgency import Before, evaluate, findings_alone, settle, urgency_alone
from services.triage.policy.checks import POLICIES, load
from shared.instruments import INSTRUMENTS, Answer
from shared.vocabulary import EXPRESS_RED_FLAGS, RED_FLAGS, Priority, Urgency
from tests.unit.triage.samples import ASKED_AT, CALM, CHART, DAY, POLICY, chart, decided, rank, sheet

NHANES = Path(__file__).parents[4] / "shared" / "data" / "nhanes" / "phq9_2015_2016.csv"


def fired(case: Any, before: Before | None = None) -> set[str]:
    return {finding.rule for finding in decided(case, before).findings}


def asked(case: Any) -> set[str]:
    return {finding.rule for finding in decided(case).reviews}


def test_nothing_positive_is_routine_and_says_why() -> None:
    verdict = decided(CHART)
    assert verdict.urgency is Urgency.ROUTINE
    assert verdict.respond_by == ASKED_AT + timedelta(days=28)
    assert [finding.rule for finding in verdict.findings] == ["routine"]
    assert verdict.reviews == ()
    assert verdict.review_by is None


@pytest.mark.parametrize(
    ("sheets", "urgency", "rule"),
    [
        # PHQ-9 item 9, whatever the total
        ([("phq9", *CALM[:8], 1)], Urgency.URGENT, "phq9-item9"),
        ([("phq9", *[3] * 8, 3)], Urgency.URGENT, "phq9-item9"),
        # not assessed is never zero
        ([("phq9", *CALM[:8], None)], Urgency.URGENT, "safety-not-assessed"),
        ([("phq9", *CALM[:8], "refused")], Urgency.URGENT, "safety-not-assessed"),
        ([("phq9", *CALM[:8], "unknown")], Urgency.URGENT, "safety-not-assessed"),
        ([("phq9", *CALM[:8])], Urgency.URGENT, "safety-not-assessed"),
        ([("phq9", *CALM[:8], 7)], Urgency.URGENT, "safety-not-assessed"),
        # C-SSRS by the most severe positive answer
        ([("cssrs", 1, 0, None, None, None, 0)], Urgency.URGENT, "cssrs-thoughts"),
        ([("cssrs", 0, 1, 1, 0, 0, 0)], Urgency.URGENT, "cssrs-method-or-earlier-act"),
        ([("cssrs", 0, 1, 0, 1, 0, 0)], Urgency.VERY_URGENT, "cssrs-intent-plan-or-recent-act"),
        ([("cssrs", 0, 1, 0, 0, 1, 0)], Urgency.VERY_URGENT, "cssrs-intent-plan-or-recent-act"),
        ([("cssrs", 0, 0, None, None, None, 1, 0)], Urgency.URGENT, "cssrs-method-or-earlier-act"),
        ([("cssrs", 0, 0, None, None, None, 1, 1)], Urgency.VERY_URGENT, "cssrs-intent-plan-or-recent-act"),
        ([("cssrs", 0, 0, None, None, None, 1)], Urgency.VERY_URGENT, "cssrs-intent-plan-or-recent-act"),
        # no safety question at all
        ([], Urgency.SOON, "no-safety-question"),
        ([("gad7", *[0] * 7)], Urgency.SOON, "no-safety-question"),
        # bands, once safety was asked
        ([("phq9", *[3] * 6, 2, 0, 0)], Urgency.SOON, "phq9-severe"),
        ([("phq9", *CALM), ("gad7", *[3] * 5, 0, 0)], Urgency.SOON, "gad7-severe"),
    ],
)
def test_answers(sheets: list[tuple[Any, ...]], urgency: Urgency, rule: str) -> None:
    case = chart(sheets=tuple(sheet(*each) for each in sheets))
    assert decided(case).urgency is urgency
    assert rule in fired(case)


@pytest.mark.parametrize("instrument", [each for each in INSTRUMENTS.values() if each.safety_items])
def test_every_safety_item_alone_is_answered_within_a_day_by_a_person(instrument: Any) -> None:
    for place, item in enumerate(instrument.items):
        if item.safety:
            answers: list[Answer] = [each.high if each.reversed else 0 for each in instrument.items]
            answers[place] = item.low if item.reversed else 1
            verdict = decided(chart(sheets=(sheet(instrument.key, *answers),)))
            assert rank(verdict.urgency) >= rank(Urgency.URGENT)
            assert verdict.review_by is not None
            assert verdict.review_by <= ASKED_AT + timedelta(hours=24)


@pytest.mark.parametrize("flag", sorted(RED_FLAGS))
def test_every_red_flag_is_answered(flag: str) -> None:
    verdict = decided(chart(red_flags={flag}))
    assert rank(verdict.urgency) > rank(Urgency.ROUTINE)
    assert f"red_flag={flag}" in {finding.datum for finding in verdict.findings}
    if flag in EXPRESS_RED_FLAGS:
        assert rank(verdict.urgency) >= rank(Urgency.URGENT)


@pytest.mark.parametrize(
    ("priority", "urgency", "review"),
    [
        (Priority.STAT, Urgency.EMERGENCY, True),
        (Priority.ASAP, Urgency.VERY_URGENT, True),
        (Priority.URGENT, Urgency.URGENT, False),
        (Priority.ROUTINE, Urgency.ROUTINE, False),
        (Priority.UNKNOWN, Urgency.SOON, True),  # never silently routine
    ],
)
def test_requested_priority(priority: Priority, urgency: Urgency, review: bool) -> None:
    verdict = decided(chart(requested_priority=priority))
    assert verdict.urgency is urgency
    assert bool(verdict.reviews) is review


def test_a_requested_priority_never_lowers() -> None:
    case = chart(requested_priority=Priority.ROUTINE, red_flags={"overdose"})
    assert decided(case).urgency is Urgency.EMERGENCY


@pytest.mark.parametrize(
    ("changes", "rule", "urgency"),
    [
        ({"age": 17, "guardian": "present"}, "minor", Urgency.SOON),
        ({"age": 11, "guardian": "present"}, "child", Urgency.SOON),
        ({"age": None}, "age-unknown", Urgency.SOON),
        ({"perinatal": True}, "perinatal", Urgency.SOON),
        ({"perinatal": True, "problems": {"bipolar"}}, "perinatal-bipolar-or-psychosis", Urgency.URGENT),
        ({"problems": {"self_harm"}}, "self-harm", Urgency.URGENT),
        ({"problems": {"psychosis"}}, "seen-early", Urgency.SOON),
        ({"problems": {"a_new_problem"}}, "unknown-problem", Urgency.SOON),
        ({"red_flags": {"a_new_flag"}}, "flag-unknown", Urgency.URGENT),
        ({"diagnoses": {"R45.851"}}, "diagnosis-ideation", Urgency.URGENT),
        ({"diagnoses": {"T14.91XA"}}, "diagnosis-recent-act", Urgency.VERY_URGENT),
        ({"past_attempt": True}, "past-attempt", Urgency.SOON),
    ],
)
def test_who_and_what_for(changes: dict[str, Any], rule: str, urgency: Urgency) -> None:
    assert rule in fired(chart(**changes))
    assert decided(chart(**changes)).urgency is urgency


def test_marked_symptoms_count_for_more_from_65_on() -> None:
    sheets = (sheet("phq9", *[2] * 7, 1, 0),)
    assert decided(chart(age=64, sheets=sheets)).urgency is Urgency.ROUTINE
    assert decided(chart(age=65, sheets=sheets)).urgency is Urgency.SOON


def test_eighteen_is_not_a_minor() -> None:
    assert fired(chart(age=18)) == {"routine"}
    assert "child" not in fired(chart(age=12, guardian="present"))


@pytest.mark.parametrize(
    ("changes", "datum"),
    [
        ({"sheets": (sheet("cssrs", 0, 0, None, None, None, 1),)}, "cssrs.q6b=not answered"),
        ({"sheets": (sheet("cssrs", 0, 0, None, None, None, 1, 1),)}, "cssrs.q6b=1"),
        ({"sheets": (sheet("phq9", *CALM[:8], None),)}, "phq9.item9=not assessed"),
        ({"sheets": (sheet("phq9", *[3] * 7, None, 0),)}, "phq9.total>=21"),
        ({"sheets": (sheet("phq9", *[3] * 7, 0, 0),)}, "phq9.total=21"),
        ({"sheets": (sheet("phq12", 1),)}, "screening=unknown_instrument"),
        ({"sheets": (sheet("gad7", 9, *[0] * 6),)}, "gad7.item1=out_of_range"),
        ({"age": None}, "age=not known"),
        ({"red_flags": {"a_new_flag"}}, "red_flag=a code that is not known"),
        ({"problems": {"a_new_problem"}}, "problem=a code that is not known"),
    ],
)
def test_the_datum_is_named(changes: dict[str, Any], datum: str) -> None:
    assert datum in {finding.datum for finding in decided(chart(**changes)).findings}


def test_an_unknown_code_is_not_quoted() -> None:
    case = chart(red_flags={"jane_doe_5550100"}, problems={"jane_doe_5550100"})
    assert not any("jane" in finding.datum for finding in decided(case).findings)


class TestReview:
    def test_instruments_that_disagree_about_safety(self) -> None:
        case = chart(sheets=(sheet("phq9", *CALM), sheet("cssrs", 0, 1, 0, 1, 0, 0)))
        assert "safety-conflict" in asked(case)
        assert decided(case).urgency is Urgency.VERY_URGENT
        for other in (sheet("phq9", *CALM[:8], None), sheet("gad7", *[0] * 7), sheet("phq9", *CALM[:8], 1)):
            assert "safety-conflict" not in asked(chart(sheets=(other, sheet("cssrs", 0, 1, 0, 1, 0, 0))))
        agreeing = chart(sheets=(sheet("phq9", *CALM[:8], 1), sheet("cssrs", 0, 1, 0, 1, 0, 0)))
        assert "safety-conflict" not in asked(agreeing)

    def test_a_sheet_that_contradicts_itself(self) -> None:
        assert "contradictory-sheet" in asked(chart(sheets=(sheet("cssrs", 0, 0, 0, 0, 1, 0),)))

    @pytest.mark.parametrize(
        "odd",
        [
            sheet("phq12", 1, 2),
            sheet("gad7", 0, 0, 0),
            sheet("gad7", 9, *[0] * 6),
            sheet("gad7", *[0] * 7, stated_total=21),
        ],
    )
    def test_a_sheet_that_cannot_be_read_as_it_stands(self, odd: Any) -> None:
        assert "sheet-problem" in asked(chart(sheets=(*CHART.sheets, odd)))

    def test_an_estimate_asks_a_person_and_does_not_raise(self) -> None:
        case = chart(sheets=(sheet("phq9", *[3] * 6, None, 0, 0),))  # 18 given, 20 estimated
        assert decided(case).urgency is Urgency.ROUTINE
        assert asked(case) == {"phq9-severe-estimated"}
        certain = chart(sheets=(sheet("phq9", *[3] * 6, None, 2, 0),))  # 20 given: no estimate is needed
        assert decided(certain).urgency is Urgency.SOON
        assert asked(certain) == set()
        below = chart(sheets=(sheet("phq9", *[2] * 7, None, 0),))
        assert asked(below) == set()

    def test_a_person_looks_within_a_day_or_the_referrals_own_clock(self) -> None:
        assert decided(chart(requested_priority=Priority.UNKNOWN)).review_by == ASKED_AT + timedelta(hours=24)
        assert decided(chart(red_flags={"weapon"})).review_by == ASKED_AT + timedelta(minutes=5)


class TestHolds:
    @pytest.mark.parametrize("changes", [{"age": 15, "guardian": "absent"}, {"shares_with_network": False}])
    def test_matching_waits_until_a_person_has_settled_it(self, changes: dict[str, Any]) -> None:
        assert decided(chart(**changes)).holds
        assert decided(chart(**changes)).reviews

    @pytest.mark.parametrize("flag", ["overdose", "recent_attempt"])
    def test_but_not_what_cannot_wait(self, flag: str) -> None:
        verdict = decided(chart(shares_with_network=False, red_flags={flag}))
        assert not verdict.holds
        assert "no-consent" in {finding.rule for finding in verdict.reviews}

    @pytest.mark.parametrize(
        "changes", [{"age": 15, "guardian": "present"}, {"age": 40, "guardian": "absent"}]
    )
    def test_nor_where_nothing_is_missing(self, changes: dict[str, Any]) -> None:
        assert not decided(chart(**changes)).holds


class TestPreventive:
    LITTLE = chart(problems={"wellbeing"}, sheets=(sheet("phq9", *CALM), sheet("gad7", *[0] * 7)))

    def test_only_when_all_of_it_is_known(self) -> None:
        verdict = decided(self.LITTLE)
        assert verdict.urgency is Urgency.PREVENTIVE
        assert verdict.respond_by == ASKED_AT + timedelta(days=42)

    def test_a_person_may_read_why(self) -> None:
        both = chart(problems={"wellbeing", "stress"}, sheets=self.LITTLE.sheets)
        assert decided(both).findings == (Finding("preventive", "stress, wellbeing", POLICY.preventive.text),)
        assert decided(CHART).findings == (
            Finding("routine", "no rule raised it", "No rule asks for an earlier response."),
        )
        before = Before(urgency=Urgency.SOON, respond_by=ASKED_AT)
        assert decided(CHART, before).findings == (
            Finding(
                "kept",
                "earlier decision=soon",
                "Kept from before. Rules can raise this; only a named clinician lowers it.",
            ),
        )
        text = {rule.id: rule.text for rule in POLICY.rules}["phq9-item9"]
        positive = chart(sheets=(sheet("phq9", *CALM[:8], 1),))
        assert decided(positive).findings == (Finding("phq9-item9", "phq9.item9=1", text, DAY),)

    def test_also_for_all_the_problems_it_is_meant_for(self) -> None:
        case = chart(problems={"wellbeing", "stress"}, sheets=self.LITTLE.sheets)
        assert decided(case).urgency is Urgency.PREVENTIVE

    @pytest.mark.parametrize(
        "changes",
        [
            {"problems": {"wellbeing", "grief"}},
            {"problems": set()},
            {"diagnoses": {"Z73.3"}},
            {"requested_priority": Priority.UNKNOWN},
            {"age": None},
            {"sheets": ()},
            {"sheets": (sheet("gad7", *[0] * 7),)},
            {"sheets": (sheet("phq9", *CALM), sheet("gad7", *[1] * 7))},
            {"sheets": (sheet("phq9", None, *CALM[1:]),)},
        ],
    )
    def test_anything_less_is_routine_at_least(self, changes: dict[str, Any]) -> None:
        case = chart(**{"problems": self.LITTLE.problems, "sheets": self.LITTLE.sheets} | changes)
        assert rank(decided(case).urgency) >= rank(Urgency.ROUTINE)


class TestAgain:
    """Asked again after a change."""

    def test_rules_never_lower(self) -> None:
        before = Before(urgency=Urgency.URGENT, respond_by=ASKED_AT + timedelta(hours=2))
        verdict = decided(CHART, before)
        assert verdict.urgency is Urgency.URGENT
        assert verdict.respond_by == before.respond_by
        assert "kept" in {finding.rule for finding in verdict.findings}

    def test_a_raise_starts_a_clock_that_ends_no_later_than_the_running_one(self) -> None:
        worse = chart(red_flags={"suicidal_thoughts"})
        running = Before(urgency=Urgency.SOON, respond_by=ASKED_AT + timedelta(hours=2))
        assert decided(worse, running).respond_by == ASKED_AT + timedelta(hours=2)
        for ended in (ASKED_AT - timedelta(days=9), ASKED_AT):
            over = Before(urgency=Urgency.SOON, respond_by=ended)
            assert decided(worse, over).respond_by == ASKED_AT + timedelta(hours=24)

    def test_what_was_settled_is_remembered_as_it_is_stored(self) -> None:
        """Rule, datum and day; these marks are kept with the referral and must mean the same tomorrow."""
        case = chart(sheets=(sheet("phq9", *CALM[:8], 1),), past_attempt=True)
        assert settle(decided(case).findings) == {
            ("phq9-item9", "phq9.item9=1", "2026-03-01"),
            ("past-attempt", "past_attempt=yes", ""),
        }

    def test_who_keeps_it_is_said_where_no_rule_does(self) -> None:
        def why(case: Any, before: Before) -> list[str]:
            return [finding.datum for finding in decided(case, before).findings if finding.rule == "kept"]

        urgent = Before(urgency=Urgency.URGENT, respond_by=ASKED_AT)
        assert why(CHART, urgent) == ["earlier decision=urgent"]
        assert why(CHART, replace(urgent, by_clinician=True)) == ["clinician=urgent"]
        assert why(chart(red_flags={"suicidal_thoughts"}), urgent) == []
        assert why(chart(red_flags={"overdose"}), urgent) == []
        assert why(chart(requested_priority=Priority.UNKNOWN), urgent) == ["earlier decision=urgent"]

    def test_what_a_clinician_settled_does_not_fire_again(self) -> None:
        case = chart(sheets=(sheet("phq9", *CALM[:8], 1),))
        lowered = Before(
            urgency=Urgency.ROUTINE,
            respond_by=ASKED_AT + timedelta(days=20),
            by_clinician=True,
            settled=settle(decided(case).findings),
        )
        verdict = decided(case, lowered)
        assert verdict.urgency is Urgency.ROUTINE
        assert verdict.reviews == ()
        assert "phq9-item9" in {finding.rule for finding in verdict.findings}

    @pytest.mark.parametrize(
        "later", [sheet("phq9", *CALM[:8], 1, on=date(2026, 3, 9)), sheet("phq9", *CALM[:8], 2)]
    )
    def test_but_the_same_answer_on_a_later_day_or_a_worse_one_does(self, later: Any) -> None:
        case = chart(sheets=(sheet("phq9", *CALM[:8], 1),))
        lowered = Before(
            urgency=Urgency.ROUTINE,
            respond_by=ASKED_AT + timedelta(days=20),
            by_clinician=True,
            settled=settle(decided(case).findings),
        )
        assert decided(chart(sheets=(*case.sheets, later)), lowered).urgency is Urgency.URGENT


FLAGGED = chart(red_flags=["overdose", "suicidal_thoughts"], sheets=(sheet("phq9", *CALM[:8], 2),))
LIGHT = chart(problems=["stress"])


@pytest.mark.parametrize("case", [CHART, FLAGGED, LIGHT], ids=["routine", "flagged", "preventive"])
def test_what_a_chart_asks_for_alone_is_what_it_asks_for_the_first_time(case: Chart) -> None:
    evaluation, first = evaluate(case, POLICY.rules), decided(case)
    assert urgency_alone(evaluation, POLICY) is first.urgency
    told = tuple(replace(finding, being_told="") for finding in first.findings)
    assert findings_alone(evaluation, POLICY) == told


def test_a_chart_is_evaluated_rule_by_rule() -> None:
    flag, item9 = ({rule.id: rule for rule in POLICY.rules}[id_] for id_ in ("flag-emergency", "phq9-item9"))
    evaluation = evaluate(FLAGGED, (flag, item9))
    assert evaluation.chart is FLAGGED
    assert evaluation.fired == (
        (flag, Finding("flag-emergency", "red_flag=overdose", flag.text)),
        (item9, Finding("phq9-item9", "phq9.item9=2", item9.text, DAY)),
    )


def test_the_policys_clocks_are_the_ones_used() -> None:
    for flag, urgency in (("overdose", Urgency.EMERGENCY), ("recent_attempt", Urgency.VERY_URGENT)):
        assert decided(chart(red_flags={flag})).respond_by == ASKED_AT + POLICY.clocks[urgency]


def test_real_answer_sheets() -> None:
    """NHANES 2015-2016, with its refused (7), unknown (9) and blank answers."""
    if not NHANES.exists():
        pytest.skip("the public NHANES sheets are not on this machine")
    meanings: dict[float, Answer] = {7: "refused", 9: "unknown"}
    positive = unanswered = 0
    with NHANES.open(newline="") as file:
        for row in csv.DictReader(file):
            cells = [row[f"DPQ0{place}0"] for place in range(1, 10)]
            answers = [meanings.get(float(c), int(float(c))) if c.strip() else None for c in cells]
            verdict = decided(chart(sheets=(sheet("phq9", *answers),)))
            item9 = answers[8]
            if item9 != 0:
                assert rank(verdict.urgency) >= rank(Urgency.URGENT)
                assert verdict.review_by is not None
                assert verdict.review_by <= ASKED_AT + timedelta(hours=24)
            positive += isinstance(item9, int) and item9 > 0
            unanswered += not isinstance(item9, int)
    assert positive > 100
    assert unanswered > 100


@pytest.mark.parametrize("name", ["network-default", "uk-response-times", "us-access-standards"])
def test_only_what_must_be_answered_within_hours_says_that_the_psychiatrist_is_told(name: str) -> None:
    """Nobody on call is told of less, so no other sentence may claim it."""
    policy = load(POLICIES / f"{name}.toml")
    claiming = [rule for rule in policy.rules if "on call is being told" in rule.being_told]
    assert len(claiming) >= 5
    assert [rule.id for rule in claiming if not (rule.raises_to and rule.raises_to.cannot_wait)] == []
    claims = {text for text in policy.texts() if "is being told" in text}
    assert claims == {rule.being_told for rule in claiming}
