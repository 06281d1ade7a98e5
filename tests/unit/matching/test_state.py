"""Where a referral stands after triage spoke: a table, and that nothing older undoes anything newer."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.state import By, Said, Standing, State, after


@pytest.mark.parametrize(
    ("before", "said", "expected"),
    [
        (None, Said.TRIAGED, (State.WAITING, False, None)),
        (None, Said.HOLDS, (State.HELD, True, None)),
        # remembered, so that an older decision by the slower lane is not acted on
        (None, Said.OVER, (State.CLOSED, False, By.TRIAGE)),
        (Standing(1, 1, State.WAITING), Said.HOLDS, (State.HELD, True, None)),
        (Standing(1, 1, State.HELD, held=True), Said.TRIAGED, (State.WAITING, False, None)),
        # an offer, a match, an appointment stay; the hold counts if they fall through
        (Standing(1, 1, State.OFFERED), Said.TRIAGED, (State.OFFERED, False, None)),
        (Standing(1, 1, State.OFFERED), Said.HOLDS, (State.OFFERED, True, None)),
        (Standing(1, 1, State.ACCEPTED), Said.TRIAGED, (State.ACCEPTED, False, None)),
        (Standing(1, 1, State.BOOKED), Said.TRIAGED, (State.BOOKED, False, None)),
        (Standing(1, 1, State.ACCEPTED), Said.OVER, (State.CLOSED, False, By.TRIAGE)),
        # what triage closed may come again, what care closed may not
        (Standing(1, 1, State.CLOSED, closed_by=By.TRIAGE), Said.TRIAGED, (State.WAITING, False, None)),
        (Standing(1, 1, State.CLOSED, closed_by=By.TRIAGE), Said.HOLDS, (State.HELD, True, None)),
        (Standing(1, 1, State.CLOSED, closed_by=By.CARE), Said.TRIAGED, (State.CLOSED, False, By.CARE)),
        (Standing(1, 1, State.CLOSED, closed_by=By.CARE), Said.OVER, (State.CLOSED, False, By.CARE)),
    ],
)
def test_the_newest_word_decides(
    before: Standing | None, said: Said, expected: tuple[State, bool, By | None]
) -> None:
    found = after(before, said, revision=1, decision=2)
    assert found is not None
    assert (found.revision, found.decision) == (1, 2)
    assert (found.state, found.held, found.closed_by) == expected


@pytest.mark.parametrize(("revision", "decision"), [(2, 3), (2, 2), (1, 9)])
def test_what_is_not_newer_is_dropped(revision: int, decision: int) -> None:
    standing = Standing(2, 3, State.WAITING)
    for said in Said:
        assert after(standing, said, revision=revision, decision=decision) is None


words = st.lists(st.sampled_from(Said), min_size=1, max_size=4)


@given(words)
def test_every_order_ends_the_same(history: list[Said]) -> None:
    numbered = list(enumerate(history, 1))
    ends = set()
    for order in itertools.permutations(numbered):
        standing: Standing | None = None
        for decision, said in order:
            standing = after(standing, said, revision=1, decision=decision) or standing
        ends.add(standing)
    assert len(ends) == 1
