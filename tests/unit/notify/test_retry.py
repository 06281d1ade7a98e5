"""When a delivery is retried, and when it is given up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.retry import GiveUp, Kind, Outcome, Retry, RetryPolicy, judge, next_attempt

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


POLICY = RetryPolicy(
    first_pause=4 * SECOND, longest_pause=timedelta(hours=1), give_up_after=timedelta(days=3)
)
UNWELL = Outcome(Kind.UNWELL, "timeout")
GONE = Outcome(Kind.REFUSED, "http_410")


def again(outcome: Outcome, attempts: int, *, luck: float = 1.0, age: timedelta = timedelta()) -> Any:
    return next_attempt(outcome, POLICY, attempts=attempts, since=NOW - age, now=NOW, luck=luck)


@pytest.mark.parametrize(
    ("outcome", "attempts", "pause", "failing"),
    [
        (UNWELL, 1, 4 * SECOND, False),
        (UNWELL, 2, 8 * SECOND, True),  # twice in a row: an alert does not wait for it any longer
        (UNWELL, 5, 64 * SECOND, True),
        (UNWELL, 10_000, timedelta(hours=1), True),
        (GONE, 1, timedelta(hours=1), True),  # at the longest pause at once
        (Outcome(Kind.UNWELL, "http_429", 600 * SECOND), 1, 600 * SECOND, False),  # what it asked for
        (Outcome(Kind.UNWELL, "http_503", SECOND), 1, 4 * SECOND, False),  # but never sooner than ours
    ],
)
def test_pauses_double_up_to_a_longest(
    outcome: Outcome, attempts: int, pause: timedelta, failing: bool
) -> None:
    assert again(outcome, attempts) == Retry(NOW + pause, failing)


def test_it_is_given_up_after_days_and_tried_a_last_time_then() -> None:
    assert again(UNWELL, 50, age=timedelta(days=3)) == GiveUp()
    late = again(UNWELL, 50, age=timedelta(days=3) - 10 * SECOND)
    assert late == Retry(NOW + 10 * SECOND, True)


@given(
    st.sampled_from([UNWELL, GONE, Outcome(Kind.UNWELL, "http_429", 30 * SECOND)]),
    st.integers(1, 10**6),
    st.floats(0, 1),
    st.integers(0, 3 * 86_400 - 60).map(lambda s: timedelta(seconds=s)),
)
def test_never_a_hot_loop(outcome: Outcome, attempts: int, luck: float, age: timedelta) -> None:
    verdict = again(outcome, attempts, luck=luck, age=age)
    assert isinstance(verdict, Retry)
    assert verdict.at - NOW >= POLICY.first_pause / 2
    assert verdict.at <= NOW - age + POLICY.give_up_after


def test_answers_are_judged_without_gaps() -> None:
    assert {judge(status) for status in range(200, 600)} == set(Kind)
