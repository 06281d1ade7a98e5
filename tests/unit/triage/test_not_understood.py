"""What nobody knew on a form reaches a clinician, under every policy."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.triage.case_mapping import chart_of, needs_of
from services.triage.domain.chart import Chart
from services.triage.domain.urgency import Before, assess_urgency, settle
from services.triage.policy.checks import POLICIES, load
from services.triage.policy.safety_minimum import too_little
from shared.events import Case, Consent
from shared.vocabulary import (
    NOT_UNDERSTOOD_BY_CLINICIANS,
    NOT_UNDERSTOOD_BY_COORDINATORS,
    UNKNOWN_PROBLEM,
    Priority,
    Urgency,
)

POLICY = load(POLICIES / "network-default.toml")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
WITHIN_A_DAY = ("red_flag", "answer", "express", "requested_priority")


def chart(*parts: str, priority: Priority = Priority.ROUTINE) -> Chart:
    return Chart(age=40, requested_priority=priority, not_understood=parts)


@pytest.mark.parametrize("part", sorted(NOT_UNDERSTOOD_BY_CLINICIANS | {"a_part_of_next_year"}))
def test_a_clinician_looks_at_every_part(part: str) -> None:
    verdict = assess_urgency(chart(part), POLICY, asked_at=NOW)
    named = part if part in NOT_UNDERSTOOD_BY_CLINICIANS else "other"
    assert f"not_understood={named}" in {finding.datum for finding in verdict.reviews}
    assert (verdict.urgency is Urgency.URGENT) is (part in WITHIN_A_DAY)
    assert verdict.holds is (part == "must")


@pytest.mark.parametrize("part", sorted(NOT_UNDERSTOOD_BY_COORDINATORS))
def test_what_coordinators_settle_asks_no_clinician(part: str) -> None:
    said = {finding.datum for finding in assess_urgency(chart(part), POLICY, asked_at=NOW).reviews}
    assert not any(datum.startswith("not_understood") for datum in said)


def test_one_more_of_a_part_that_was_settled_asks_again() -> None:
    first = assess_urgency(chart("red_flag"), POLICY, asked_at=NOW)
    before = Before(
        urgency=Urgency.ROUTINE, respond_by=NOW, by_clinician=True, settled=settle(first.findings)
    )
    assert assess_urgency(chart("red_flag"), POLICY, asked_at=NOW, before=before).urgency is Urgency.ROUTINE
    more = assess_urgency(chart("red_flag", "red_flag"), POLICY, asked_at=NOW, before=before)
    assert more.urgency is Urgency.URGENT
    assert [finding.datum for finding in more.reviews] == ["not_understood=red_flag, 2 values"]


@pytest.mark.parametrize("part", sorted(NOT_UNDERSTOOD_BY_CLINICIANS))
def test_a_policy_without_a_rule_for_a_part_is_refused(part: str) -> None:
    def without(any_of: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(each for each in any_of if each != part)

    rules = tuple(
        replace(rule, when=tuple(replace(each, any_of=without(each.any_of)) for each in rule.when))
        if rule.when[0].kind == "not_understood"
        else rule
        for rule in POLICY.rules
    )
    assert f"not_understood {part}: must go to a person" in list(too_little(replace(POLICY, rules=rules)))


@pytest.mark.parametrize("part", WITHIN_A_DAY)
def test_a_policy_that_lets_danger_wait_is_refused(part: str) -> None:
    rules = tuple(
        replace(rule, raises_to=Urgency.SOON) if part in rule.when[0].any_of else rule
        for rule in POLICY.rules
    )
    faults = list(too_little(replace(POLICY, rules=rules)))
    assert f"not_understood {part}: may be about danger, so it must be urgent or more" in faults


def test_an_unknown_problem_is_no_specialism_that_matching_looks_for() -> None:
    case = Case(consent=Consent(share_with_network=True), problems=("anxiety", UNKNOWN_PROBLEM))
    assert needs_of(case).problems == ("anxiety",)
    assert UNKNOWN_PROBLEM in chart_of(case).problems
