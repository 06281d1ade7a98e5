"""Pauses between retries: doubled from the first to the longest, and from the first again after a success."""

import pytest

from shared.backoff import Backoff


@pytest.mark.parametrize(
    ("first", "longest", "pauses"),
    [
        (0.2, 5, [0.2, 0.4, 0.8, 1.6, 3.2, 5, 5]),
        (0.1, 5, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5]),
        (0.5, 10, [0.5, 1, 2, 4, 8, 10, 10]),
    ],
)
def test_each_failure_doubles_the_pause_up_to_the_longest(
    first: float, longest: float, pauses: list[float]
) -> None:
    backoff = Backoff(first, longest)
    assert [backoff.failed() for _ in pauses] == pytest.approx(pauses)


def test_a_success_begins_anew() -> None:
    backoff = Backoff(0.5, 10)
    backoff.failed()
    backoff.failed()
    backoff.succeeded()
    assert backoff.pause == 0
    assert backoff.failed() == 0.5
