"""What is stated again calls again; a change of something else calls nobody."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.events import ReferralTriaged, ReviewRequested
from shared.vocabulary import Urgency
from tests.cases.pipeline import (
    NOW,
    TODAY,
    TRIAGE,
    Result,
    acknowledge,
    amend,
    confirm,
    follow,
    patched,
    screen,
    submit,
)

CASES = json.loads(Path(__file__).with_name("second_crisis.json").read_text().replace("TODAY", TODAY))
AUDIENCES = ("psychiatrist", "clinician")


def crisis(case: dict[str, Any]) -> Result:
    """Stated for the first time, answered by everybody who was called."""
    result = submit(patched(case["first"]))
    if case["confirmed"]:
        lowered = case.get("lowered")
        result = confirm(acknowledge(result), urgency=Urgency(lowered) if lowered else None)
    return acknowledge(result)


def then(result: Result, case: dict[str, Any]) -> Result:
    what = case["then"]
    return screen(result, *what["screen"]) if "screen" in what else amend(result, what["amend"])


def restated(result: Result) -> set[Urgency | None]:
    return {d.restates for d in result.decisions if isinstance(d, ReferralTriaged | ReviewRequested)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_second_crisis(case: dict[str, Any]) -> None:
    before = crisis(case)
    after = then(before, case)
    assert after.status == 202
    assert [audience for audience in AUDIENCES if after.calls(audience)] == case["calls"]
    assert restated(after) == {case["restates"]}
    assert after.urgency == case.get("urgency", before.urgency)


@pytest.mark.parametrize("case", [c for c in CASES if c["calls"]], ids=lambda case: case["id"])
def test_it_is_answered_once_and_said_once(case: dict[str, Any]) -> None:
    """Once it is acknowledged, a change of something else neither calls again nor hides what was stated."""
    stated = then(crisis(case), case)
    after = amend(acknowledge(stated), {"payer": "payer-2"})
    assert not any(after.calls(audience) for audience in AUDIENCES)
    assert (
        stated.in_triage
        and stated.in_triage.state.review
        and after.in_triage
        and after.in_triage.state.review
    )
    assert set(after.in_triage.state.review.reasons) == set(stated.in_triage.state.review.reasons)


def test_whoever_has_not_answered_yet_is_not_called_twice() -> None:
    stated = submit(patched({"red_flags": ["overdose"]}))
    again = amend(stated, {"red_flags": ["overdose"]})
    assert not again.notices
    assert again.known.waits_for("psychiatrist", Urgency.EMERGENCY)


def test_the_clock_starts_anew_for_a_second_crisis_and_no_running_one_gets_longer() -> None:
    first = submit(patched({"red_flags": ["overdose"]}))
    clock, late = timedelta(minutes=5), NOW + timedelta(hours=1)
    assert TRIAGE.clocks[Urgency.EMERGENCY] == clock
    again = amend(confirm(acknowledge(first)), {"red_flags": ["overdose"]}, now=late)
    assert again.triaged and again.triaged.respond_by == late + clock
    assert again.review and again.review.review_by == late + clock
    soon = amend(first, {"red_flags": ["overdose"]}, now=NOW + timedelta(minutes=1))
    assert soon.triaged and soon.triaged.respond_by == NOW + clock
    phone = amend(confirm(acknowledge(first)), {"client": {"contact": {"phone": "555-0100"}}}, now=late)
    assert phone.triaged and phone.triaged.respond_by == NOW + clock


def test_a_fact_that_comes_twice_decides_nothing() -> None:
    again = then(crisis(CASES[0]), CASES[0])
    assert again.fact and again.in_triage
    twice = follow(again.fact, again.in_triage, {}, known=acknowledge(again).known)
    assert not twice.decisions and not twice.notices
