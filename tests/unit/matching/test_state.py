"""The state of a referral after a decision of triage: a table, and that nothing older undoes newer."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.state import ClosedBy, MatchingState, State, TriageOutcome, state_after

BY_TRIAGE = MatchingState(1, 1, State.CLOSED, closed_by=ClosedBy.TRIAGE)
BY_CARE = MatchingState(1, 1, State.CLOSED, closed_by=ClosedBy.CARE)


@pytest.mark.parametrize(
    ("before", "outcome", "expected"),
    [
        (None, TriageOutcome.TRIAGED, (State.WAITING, False, None)),
        (None, TriageOutcome.HELD, (State.HELD, True, None)),
        # remembered, so that an older decision by the slower lane is not acted on
        (None, TriageOutcome.OVER, (State.CLOSED, False, ClosedBy.TRIAGE)),
        (MatchingState(1, 1, State.WAITING), TriageOutcome.HELD, (State.HELD, True, None)),
        (MatchingState(1, 1, State.HELD, held=True), TriageOutcome.TRIAGED, (State.WAITING, False, None)),
        # an offer, a match, an appointment stay; the hold counts if they fall through
        (MatchingState(1, 1, State.OFFERED), TriageOutcome.TRIAGED, (State.OFFERED, False, None)),
        (MatchingState(1, 1, State.OFFERED), TriageOutcome.HELD, (State.OFFERED, True, None)),
        (MatchingState(1, 1, State.ACCEPTED), TriageOutcome.TRIAGED, (State.ACCEPTED, False, None)),
        (MatchingState(1, 1, State.BOOKED), TriageOutcome.TRIAGED, (State.BOOKED, False, None)),
        (MatchingState(1, 1, State.ACCEPTED), TriageOutcome.OVER, (State.CLOSED, False, ClosedBy.TRIAGE)),
        # what triage closed may come again, what care closed may not
        (BY_TRIAGE, TriageOutcome.TRIAGED, (State.WAITING, False, None)),
        (BY_TRIAGE, TriageOutcome.HELD, (State.HELD, True, None)),
        (BY_CARE, TriageOutcome.TRIAGED, (State.CLOSED, False, ClosedBy.CARE)),
        (BY_CARE, TriageOutcome.OVER, (State.CLOSED, False, ClosedBy.CARE)),
    ],
)
def test_the_newest_decision_counts(
    before: MatchingState | None, outcome: TriageOutcome, expected: tuple[State, bool, ClosedBy | None]
) -> None:
    found = state_after(before, outcome, revision=1, decision=2)
    assert found is not None
    assert (found.revision, found.decision) == (1, 2)
    assert (found.state, found.held, found.closed_by) == expected


@pytest.mark.parametrize(("revision", "decision"), [(2, 3), (2, 2), (1, 9)])
def test_what_is_not_newer_is_dropped(revision: int, decision: int) -> None:
    state = MatchingState(2, 3, State.WAITING)
    for outcome in TriageOutcome:
        assert state_after(state, outcome, revision=revision, decision=decision) is None


outcomes = st.lists(st.sampled_from(TriageOutcome), min_size=1, max_size=4)


@given(outcomes)
def test_every_order_ends_the_same(history: list[TriageOutcome]) -> None:
    numbered = list(enumerate(history, 1))
    ends = set()
    for order in itertools.permutations(numbered):
        state: MatchingState | None = None
        for decision, outcome in order:
            state = state_after(state, outcome, revision=1, decision=decision) or state
        ends.add(state)
    assert len(ends) == 1
