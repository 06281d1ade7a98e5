"""The newest answers by themselves: which they are, and whether they ask for less."""

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest

from services.triage.domain.newer_answers import better_answers, newest
from services.triage.domain.policy import Waiting
from services.triage.policy.checks import check
from shared.vocabulary import Urgency
from tests.unit.triage.samples import CALM, POLICY, chart, sheet

OLD, NEW = date(2026, 3, 1), date(2026, 3, 20)
SHEETS = (
    sheet("phq9", *CALM, on=OLD),
    sheet("phq9", *CALM[:8], 1, on=NEW),
    sheet("gad7", *CALM[:7], on=OLD),
)


def test_the_newest_sheet_of_each_instrument_whatever_the_order() -> None:
    for order in permutations(SHEETS):
        assert set(newest(chart(sheets=order)).sheets) == {SHEETS[1], SHEETS[2]}


def test_of_one_day_the_one_added_last() -> None:
    first, second = sheet("phq9", *CALM), sheet("phq9", *CALM[:8], 1)
    assert newest(chart(sheets=(first, second))).sheets == (second,)


def test_a_chart_without_older_sheets_is_left_as_it_is() -> None:
    one = chart(sheets=SHEETS[1:])
    assert newest(one) is one


U, R = Urgency.URGENT, Urgency.ROUTINE


@pytest.mark.parametrize(
    ("before", "asks_for", "stands", "is_shown"),
    [
        (U, R, U, True),
        (U, U, U, False),  # the same
        (R, U, U, False),  # worse
        (None, R, U, False),  # nothing to compare with
        (U, R, R, False),  # a clinician has lowered already
        (Urgency.EMERGENCY, U, Urgency.VERY_URGENT, True),
    ],
)
def test_when_better_answers_are_shown(
    before: Urgency | None, asks_for: Urgency, stands: Urgency, is_shown: bool
) -> None:
    assert bool(better_answers(POLICY, before=before, asks_for=asks_for, current=stands)) is is_shown


def test_a_policy_says_how_long_everybody_may_wait() -> None:
    waiting = POLICY.waiting
    less: dict[Urgency, Waiting] = {
        urgency: rule for urgency, rule in waiting.items() if urgency is not Urgency.SOON
    }
    assert "waiting: soon has no end" in list(check(replace(POLICY, waiting=less)))
    swapped = waiting | {Urgency.URGENT: waiting[R], R: waiting[Urgency.URGENT]}
    faults = list(check(replace(POLICY, waiting=swapped)))
    assert "waiting: urgent must not wait longer than soon" in faults
    twice = {**waiting, R: replace(waiting[R], id="phq9-item9")}
    assert "phq9-item9: this id is used twice" in list(check(replace(POLICY, waiting=twice)))
