"""The best set of pairs: exact, within places, and never at the cost of who is more urgent."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from services.matching.domain.assignment import KEPT, MERIT, Candidates, assign, merit_of

THERAPISTS = 5


@st.composite
def candidates(draw: st.DrawFn) -> Candidates:
    rows = draw(st.lists(st.integers(0, THERAPISTS - 1), unique=True, max_size=THERAPISTS))
    merits = draw(st.lists(st.integers(0, MERIT), min_size=len(rows), max_size=len(rows)))
    return Candidates(draw(st.integers(0, 6)), np.array(sorted(rows), np.int64), np.array(merits, np.int64))


batches = st.lists(candidates(), max_size=7)
places = st.lists(st.integers(0, 3), min_size=THERAPISTS, max_size=THERAPISTS).map(
    lambda free: np.array(free, np.int32)
)


def worth(batch: Sequence[Candidates], chosen: Sequence[int | None]) -> int:
    pairs = zip(batch, chosen, strict=True)
    return sum(int(one.worth()[place]) for one, place in pairs if place is not None)


def optimum(batch: Sequence[Candidates], free: np.ndarray[tuple[int], np.dtype[np.int32]]) -> int:
    """Scipy's exact assignment, with a column for every single place."""
    columns = [row for row, count in enumerate(free) for _ in range(count)]
    table = np.zeros((len(batch), len(columns)), np.int64)
    for i, one in enumerate(batch):
        of_row = dict(zip(one.rows.tolist(), one.worth().tolist(), strict=True))
        table[i] = [of_row.get(row, 0) for row in columns]
    return int(table[linear_sum_assignment(table, maximize=True)].sum())


@given(batches, places)
@settings(max_examples=300)
def test_equals_the_exact_optimum(
    batch: list[Candidates], free: np.ndarray[tuple[int], np.dtype[np.int32]]
) -> None:
    assert worth(batch, assign(batch, free)) == optimum(batch, free)


@given(batches, places)
def test_never_more_than_the_places(
    batch: list[Candidates], free: np.ndarray[tuple[int], np.dtype[np.int32]]
) -> None:
    chosen = assign(batch, free)
    taken = Counter(int(one.rows[p]) for one, p in zip(batch, chosen, strict=True) if p is not None)
    assert all(count <= free[row] for row, count in taken.items())


@given(batches, places)
def test_nobody_is_left_out_while_a_less_urgent_holds_a_place_they_could_use(
    batch: list[Candidates], free: np.ndarray[tuple[int], np.dtype[np.int32]]
) -> None:
    _assert_urgency_respected(batch, assign(batch, free))


def _assert_urgency_respected(batch: Sequence[Candidates], chosen: Sequence[int | None]) -> None:
    held = [(one.level, int(one.rows[p])) for one, p in zip(batch, chosen, strict=True) if p is not None]
    for one, place in zip(batch, chosen, strict=True):
        if place is None:
            usable = set(one.rows.tolist())
            assert not [row for lower, row in held if lower < one.level and row in usable]


@given(batches, places)
def test_the_same_question_has_the_same_answer(
    batch: list[Candidates], free: np.ndarray[tuple[int], np.dtype[np.int32]]
) -> None:
    assert assign(batch, free) == assign(batch, free)


def test_cutting_the_list_costs_no_urgent_client_a_place() -> None:
    rows = np.arange(KEPT + 8)
    free = np.ones(len(rows), np.int32)
    all_want_the_same = np.where(rows < KEPT, MERIT, 0).astype(np.int64)
    urgent = [Candidates(5, rows, all_want_the_same, turn) for turn in range(KEPT + 8)]
    routine = [Candidates(1, rows[KEPT:], np.full(8, MERIT, np.int64), turn) for turn in range(8)]
    chosen = assign([*routine, *urgent], free)
    _assert_urgency_respected([*routine, *urgent], chosen)
    assert chosen[:8] == [None] * 8


def test_equals_spread_over_therapists_instead_of_all_wanting_the_first() -> None:
    rows, same = np.arange(500), np.zeros(500, np.int64)
    firsts = {int(Candidates(1, rows, same, turn).best(1).rows[0]) for turn in range(50)}
    assert len(firsts) == 50


def test_joint_beats_one_by_one() -> None:
    picky, easy = np.array([0]), np.array([0, 1])
    batch = [
        Candidates(1, easy, merit_of(np.array([0.9, 0.8]))),
        Candidates(1, picky, merit_of(np.array([0.3]))),
    ]
    assert assign(batch, np.ones(2, np.int32)) == [1, 0]
