"""No rejection without a next step: what is missing is named, all of it at once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.triage.domain.returns import Step, faults
from services.triage.policy.checks import check
from shared.vocabulary import Urgency
from tests.unit.triage.samples import ASKED_AT, POLICY

DAY = timedelta(days=1)


def step(code: str = "advice_call", *, after: timedelta = DAY, **more: Any) -> Step:
    boring: dict[str, Any] = {"step": code, "owner": "clinician", "by": ASKED_AT + after}
    return Step(**boring | more)


def found(
    *steps: Step, advice: tuple[str, ...] = ("crisis_lines",), urgency: Urgency = Urgency.ROUTINE
) -> list[tuple[str, str]]:
    told = faults(advice, steps, urgency, POLICY, now=ASKED_AT)
    return [(fault.where, fault.code) for fault in told]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((step(),), []),
        ((step(), step("see_the_person_again", after=60 * DAY, owner="referrer")), []),
        ((step("refer_to_named_service", service="grief-centre"),), []),
        ((), [("/next_steps", "no_next_step")]),
        ((step("pray"),), [("/next_steps/0/step", "unknown_step")]),
        ((step("refer_to_named_service"),), [("/next_steps/0/service", "service_missing")]),
        ((step(after=timedelta()),), [("/next_steps/0/by", "in_the_past")]),
        ((step(), step(after=91 * DAY)), [("/next_steps/1/by", "too_far")]),
        ((step("pray", after=-DAY), step("refer_to_named_service")),
         [("/next_steps/0/step", "unknown_step"), ("/next_steps/0/by", "in_the_past"),
          ("/next_steps/1/service", "service_missing")]),
    ],
)  # fmt: skip
def test_every_step_is_somebodys_by_a_date(steps: tuple[Step, ...], said: list[tuple[str, str]]) -> None:
    assert found(*steps) == said


def test_nothing_is_returned_without_advice() -> None:
    assert found(step(), advice=()) == [("/advice", "no_advice")]
    assert found(step(), advice=("crisis_lines", "cheer_up")) == [("/advice/1", "unknown_advice")]
    assert found(advice=()) == [("/advice", "no_advice"), ("/next_steps", "no_next_step")]


@pytest.mark.parametrize("urgency", list(Urgency))
def test_returning_takes_no_time_from_the_person(urgency: Urgency) -> None:
    """The first step keeps the response time; the others may come later."""
    clock = POLICY.clocks[urgency]
    assert isinstance(clock, timedelta)
    assert found(step(after=clock), step(after=90 * DAY), urgency=urgency) == []
    late = step(after=clock + timedelta(seconds=1))
    assert found(late, urgency=urgency) == [("/next_steps", "first_step_too_late")]


def test_a_policy_that_gives_no_advice_is_not_whole() -> None:
    assert "advice: a referral can not be returned without any" in list(check(replace(POLICY, advice={})))
