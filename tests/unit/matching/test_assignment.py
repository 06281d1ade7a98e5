"""The best set of pairs: exact, within places, and never at the cost of who is more urgent."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from services.matching.domain.assignment import KEPT, MERIT, Candidates, assign, merit_of
from services.matching.domain.eligibility import Reason, reasons
from services.matching.domain.eligibility_columns import Relaxation
from services.matching.domain.offer_rules import LEVELS, OVERDUE, expires_at, level, waited, waiting
from services.matching.domain.profiles import Client
from services.matching.domain.proposals import Policy, Proposal, Waiting, Waitlisting, propose
from services.matching.domain.roster_columns import Roster
from services.matching.domain.scoring import Weights
from shared.vocabulary import Urgency
from tests.unit.matching.samples import Chance, chances, client, must, therapist, wish

POLICY = Policy(Weights(), waiting_share=0.2)

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


# ---- a whole round ----------------------------------------------------------------------------------


def waiting_for(them: Client, number: int = 1, *, level: int = 1, reason: str | None = None) -> Waiting:
    return Waiting(replace(them, id=UUID(int=number)), level, 0, reason)


@given(chances)
@settings(max_examples=60, deadline=None)
def test_a_round_respects_every_limit_and_every_place(chance: Chance) -> None:
    clients, therapists = chance.network(chance.one(3, 12), chance.one(2, 5, 12))
    pool = [Waiting(one, chance.one(*range(7))) for one in clients]
    by_id = {t.id: t for t in therapists}
    verdicts = propose(pool, Roster(therapists), POLICY)
    assert [v.client_id for v in verdicts] == [w.client.id for w in pool]
    taken = Counter(v.choice.therapist_id for v in verdicts if isinstance(v, Proposal))
    held = [(w, v) for w, v in zip(pool, verdicts, strict=True) if isinstance(v, Proposal)]
    for verdict, one in zip(verdicts, pool, strict=True):
        able = [t for t in therapists if not reasons(one.client, t)]
        assert verdict.eligible == len(able)
        if isinstance(verdict, Proposal):
            chosen = (verdict.choice, *verdict.runners_up)
            assert verdict.considered == sum(t.free > 0 for t in able)
            assert all(by_id[c.therapist_id].free > 0 for c in chosen)
            assert all(by_id[c.therapist_id] in able for c in chosen)
            assert len({c.therapist_id for c in chosen}) == len(chosen)
        else:
            # whoever waits although eligible found every such therapist full, with nobody less urgent
            assert all(taken[t.id] >= t.free for t in able)
            usable = {t.id for t in able}
            assert all(w.level >= one.level for w, v in held if v.choice.therapist_id in usable)
    assert all(count <= by_id[who].free for who, count in taken.items())


def test_the_best_is_chosen_and_the_others_are_told() -> None:
    them = client(wish("therapist_gender", "woman"))
    best, fair = therapist(2, genders=frozenset({"woman"})), therapist(1)
    full = therapist(3, places_taken=1)
    (verdict,) = propose([Waiting(them, 1)], Roster([fair, best, full]), POLICY)
    assert isinstance(verdict, Proposal)
    assert verdict.choice.therapist_id == best.id
    assert [r.therapist_id for r in verdict.runners_up] == [fair.id]
    assert (verdict.eligible, verdict.considered) == (3, 2)
    assert {c.criterion: c.score for c in verdict.choice.criteria}["therapist_gender"] == 1.0


@pytest.mark.parametrize(
    ("roster", "expected"),
    [
        (Roster(), ("roster_empty", 0, ())),
        # eligible, but full: waits for a place; what would open another is told besides
        (
            Roster([therapist(1, places_taken=1), therapist(2, payers=frozenset({"state"}))]),
            ("no_place", 1, (Relaxation(Reason.PAYER, 1),)),
        ),
        # nobody may: the limit that opens most comes first; who is full opens nothing
        (
            Roster(
                [
                    therapist(1, payers=frozenset({"state"})),
                    therapist(2, languages=frozenset({"vi"})),
                    therapist(3, languages=frozenset({"vi"})),
                    therapist(4, region="south", places_taken=1),
                    therapist(5, age_groups=frozenset({"child"})),
                ]
            ),
            ("no_eligible_therapist", 0, (Relaxation(Reason.LANGUAGE, 2), Relaxation(Reason.PAYER, 1))),
        ),
    ],
)
def test_why_nobody(roster: Roster, expected: tuple[str, int, tuple[Relaxation, ...]]) -> None:
    (verdict,) = propose([Waiting(client(), 1)], roster, POLICY)
    assert isinstance(verdict, Waitlisting)
    assert (verdict.reason, verdict.eligible, verdict.relaxations) == expected


def test_a_must_that_shuts_everyone_out_says_whom_it_would_open() -> None:
    (verdict,) = propose([Waiting(client(must("faith", "quaker")), 1)], Roster([therapist(1)]), POLICY)
    assert isinstance(verdict, Waitlisting)
    assert verdict.relaxations == (Relaxation(Reason.MUST_FAITH, 1),)


def test_relaxations_are_worked_out_once_for_a_reason() -> None:
    roster = Roster([therapist(1, payers=frozenset({"state"}))])
    (verdict,) = propose([Waiting(client(), 1, reason="no_eligible_therapist")], roster, POLICY)
    assert isinstance(verdict, Waitlisting)
    assert verdict.relaxations == ()


def test_of_equals_the_one_who_waits_longer_goes_first() -> None:
    new, old = waiting_for(client(), 1), waiting_for(client(), 2)
    old = Waiting(old.client, old.level, waiting=0.5)
    first, second = propose([new, old], Roster([therapist(1)]), POLICY)
    assert isinstance(first, Waitlisting)
    assert isinstance(second, Proposal)


# ---- clocks -----------------------------------------------------------------------------------------

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("urgency", "targets", "expected"),
    [
        (Urgency.ROUTINE, 0.0, 1),
        (Urgency.ROUTINE, 0.99, 1),
        (Urgency.ROUTINE, 1.0, 2),
        (Urgency.ROUTINE, 2.5, 3),
        (Urgency.ROUTINE, 3.0, OVERDUE),
        # never above who cannot wait
        (Urgency.PREVENTIVE, 99.0, OVERDUE),
        (Urgency.URGENT, 50.0, OVERDUE),
        (Urgency.VERY_URGENT, 50.0, LEVELS[Urgency.VERY_URGENT]),
        (Urgency.EMERGENCY, 0.0, LEVELS[Urgency.EMERGENCY]),
    ],
)
def test_levels_age_upward(urgency: Urgency, targets: float, expected: int) -> None:
    assert level(urgency, targets) == expected


def test_levels_follow_the_order_of_urgency() -> None:
    assert sorted(Urgency, key=lambda u: -LEVELS[u]) == list(Urgency)
    assert len({LEVELS[u] for u in Urgency} | {OVERDUE}) == len(Urgency) + 1


@given(st.sampled_from(Urgency), st.floats(0, 100), st.floats(0, 100))
def test_waiting_never_lowers(urgency: Urgency, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert level(urgency, less) <= level(urgency, more)
    assert waiting(less) <= waiting(more) < 1


def test_how_many_targets_have_passed() -> None:
    assert waited(NOON - timedelta(days=14), NOON, timedelta(days=7)) == 2
    assert waited(NOON + timedelta(days=1), NOON, timedelta(days=7)) == 0
    # a clock of nought, as for an emergency, does not divide
    assert waited(NOON - timedelta(days=1), NOON, timedelta(0)) == 0


def test_offers_expire_by_urgency() -> None:
    hours = {urgency: 24.0 for urgency in Urgency} | {Urgency.URGENT: 4.0}
    assert expires_at(Urgency.URGENT, NOON, hours) == NOON + timedelta(hours=4)
    assert expires_at(Urgency.SOON, NOON, hours) == NOON + timedelta(days=1)
