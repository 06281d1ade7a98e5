"""What a request states counts again, whatever a clinician made of it before; nothing else does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.triage.domain.chart import EVERYTHING, NOTHING, Chart, Stated
from services.triage.domain.policy import Condition, Rule
from services.triage.domain.urgency import Before, Verdict, assess_urgency, fresh, settle
from shared.vocabulary import Urgency
from tests.unit.triage.samples import ASKED_AT, CALM, POLICY, chart, sheet

FLAGS = Stated(frozenset({"red_flags"}))
OVERDOSE = chart(red_flags=["overdose"])
PATIENT = chart(red_flags=["medication_question"])
URGENT = chart(red_flags=["suicidal_thoughts"])
CLAIM = "The psychiatrist on call is being told."
HOUR = timedelta(hours=1)


def confirmed(case: Chart, *, at: Urgency | None = None, due: timedelta = HOUR) -> Before:
    """A clinician has looked at everything that fired."""
    verdict = assess_urgency(case, POLICY, asked_at=ASKED_AT)
    return Before(
        urgency=at or verdict.urgency,
        respond_by=ASKED_AT + due,
        by_clinician=True,
        settled=settle(verdict.findings),
    )


def decided(case: Chart, before: Before | None, stated: Stated) -> Verdict:
    return assess_urgency(case, POLICY, asked_at=ASKED_AT, before=before, stated=stated)


def rules(verdict: Verdict) -> set[str]:
    return {finding.rule for finding in verdict.restated}


def claims(verdict: Verdict) -> set[str]:
    return {finding.being_told for finding in verdict.findings if finding.being_told}


def test_what_is_settled_and_not_stated_asks_for_nobody() -> None:
    verdict = decided(OVERDOSE, confirmed(OVERDOSE), NOTHING)
    assert (verdict.restates, verdict.restated, verdict.reviews, claims(verdict)) == (None, (), (), set())
    assert verdict.respond_by == ASKED_AT + HOUR


@pytest.mark.parametrize("stated", [FLAGS, EVERYTHING], ids=["the flag", "everything"])
def test_what_is_settled_and_stated_again_asks_for_everybody(stated: Stated) -> None:
    verdict = decided(OVERDOSE, confirmed(OVERDOSE), stated)
    assert verdict.restates is Urgency.EMERGENCY
    assert rules(verdict) == {"flag-emergency"} == {finding.rule for finding in verdict.reviews}
    assert claims(verdict) == {CLAIM}


def test_it_raises_what_a_clinician_had_lowered() -> None:
    before = confirmed(OVERDOSE, at=Urgency.ROUTINE)
    assert decided(OVERDOSE, before, NOTHING).urgency is Urgency.ROUTINE
    assert decided(OVERDOSE, before, FLAGS).urgency is Urgency.EMERGENCY


def test_another_part_that_is_stated_brings_none_of_it_back() -> None:
    verdict = decided(OVERDOSE, confirmed(OVERDOSE), Stated(frozenset({"diagnoses", "problems"})))
    assert (verdict.restates, verdict.restated, claims(verdict)) == (None, (), set())


def test_the_person_alone_states_nothing() -> None:
    """A minor is a minor whatever the request says."""
    minor = chart(age=11, guardian="present", red_flags=["overdose"])
    verdict = decided(minor, confirmed(minor), FLAGS)
    assert rules(verdict) == {"flag-emergency"}
    stated = decided(minor, confirmed(minor), Stated(frozenset({"age"})))
    assert "child" in rules(stated) and "flag-emergency" not in rules(stated)


def test_of_the_sheets_only_the_last_are_stated() -> None:
    positive, calm = sheet("phq9", *CALM[:8], 2), sheet("phq9", *CALM)
    first, last = chart(sheets=(positive, calm)), chart(sheets=(calm, positive))
    one = Stated(frozenset({"screenings"}), sheets=1)
    assert decided(first, confirmed(first), one).restates is None
    verdict = decided(last, confirmed(last), one)
    assert (verdict.restates, rules(verdict)) == (Urgency.URGENT, {"phq9-item9"})


def test_doubts_and_conflicts_are_never_stated_again() -> None:
    """They depend on the whole chart."""
    doubtful = chart(sheets=(), age=None, red_flags=["overdose"])
    verdict = decided(doubtful, confirmed(doubtful), EVERYTHING)
    assert rules(verdict) == {"flag-emergency"}


@pytest.mark.parametrize(
    ("raises_to", "asks_review", "restates", "restated"),
    [
        (Urgency.SOON, False, Urgency.SOON, False),
        (None, True, None, True),
        (None, False, None, False),
        (Urgency.SOON, True, Urgency.SOON, True),
    ],
)
def test_a_rule_that_raises_or_asks_can_be_stated_again(
    raises_to: Urgency | None, asks_review: bool, restates: Urgency | None, restated: bool
) -> None:
    rule = Rule(
        id="only",
        when=(Condition(kind="red_flag", any_of=("overdose",)),),
        text="Only this.",
        source="test",
        status="to be confirmed by a clinician",
        raises_to=raises_to,
        asks_review=asks_review,
    )
    verdict = assess_urgency(
        OVERDOSE,
        replace(POLICY, rules=(rule,)),
        asked_at=ASKED_AT,
        before=Before(
            urgency=Urgency.ROUTINE,
            respond_by=ASKED_AT + HOUR,
            by_clinician=True,
            settled=frozenset({("only", "red_flag=overdose", "")}),
        ),
        stated=FLAGS,
    )
    assert (verdict.restates, bool(verdict.restated)) == (restates, restated)


def test_the_most_urgent_of_what_is_stated_counts() -> None:
    both = chart(red_flags=["medication_question", "suicidal_thoughts"])
    assert decided(both, confirmed(both), FLAGS).restates is Urgency.URGENT
    assert decided(PATIENT, confirmed(PATIENT), FLAGS).restates is Urgency.SOON


DEADLINES = [
    ("a crisis: anew, where the last was over", OVERDOSE, Urgency.EMERGENCY, -HOUR, timedelta(minutes=5)),
    ("a crisis: no later than one that runs", OVERDOSE, Urgency.EMERGENCY, HOUR / 60, HOUR / 60),
    ("urgent: anew, where the last was over", URGENT, Urgency.URGENT, -HOUR, timedelta(hours=24)),
    ("less than urgent: the old one stays", PATIENT, Urgency.SOON, -HOUR, -HOUR),
    ("less than what stands: the old one stays", URGENT, Urgency.VERY_URGENT, -HOUR, -HOUR),
]


@pytest.mark.parametrize(
    ("case", "stands", "due", "expected"), [row[1:] for row in DEADLINES], ids=[row[0] for row in DEADLINES]
)
def test_a_response_is_owed_to_what_is_stated_now(
    case: Chart, stands: Urgency, due: timedelta, expected: timedelta
) -> None:
    before = confirmed(case, at=stands, due=due)
    verdict = decided(case, before, FLAGS)
    assert verdict.urgency is stands
    assert verdict.respond_by == ASKED_AT + expected
    assert decided(case, before, NOTHING).respond_by == before.respond_by


CLAIMED = [
    ("the first time", None, NOTHING, True),
    ("raised by it", confirmed(chart(), at=Urgency.ROUTINE), NOTHING, True),
    ("as urgent before", confirmed(chart(), at=Urgency.EMERGENCY), NOTHING, False),
    ("settled", confirmed(OVERDOSE, at=Urgency.ROUTINE), NOTHING, False),
    ("settled and stated again", confirmed(OVERDOSE), FLAGS, True),
    ("as urgent before and stated again", confirmed(chart(), at=Urgency.EMERGENCY), FLAGS, True),
]


@pytest.mark.parametrize(
    ("before", "stated", "claimed"), [row[1:] for row in CLAIMED], ids=[row[0] for row in CLAIMED]
)
def test_that_somebody_is_told_is_said_only_where_somebody_is(
    before: Before | None, stated: Stated, claimed: bool
) -> None:
    found = [f for f in decided(OVERDOSE, before, stated).findings if f.rule == "flag-emergency"]
    assert [finding.being_told for finding in found] == [CLAIM if claimed else ""]


def test_only_what_no_clinician_has_settled_is_fresh() -> None:
    findings = assess_urgency(OVERDOSE, POLICY, asked_at=ASKED_AT).findings
    assert fresh(findings, None) == findings
    assert fresh(findings, confirmed(OVERDOSE)) == ()
    assert fresh(findings, confirmed(chart())) == tuple(f for f in findings if f.rule == "flag-emergency")
