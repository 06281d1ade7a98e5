"""How urgency grows with waiting, and when offers expire."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.offer_rules import LEVELS, OVERDUE, expires_at, level, share_waited, waited
from shared.vocabulary import Urgency

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
    assert share_waited(less) <= share_waited(more) < 1


def test_how_many_targets_have_passed() -> None:
    assert waited(NOON - timedelta(days=14), NOON, timedelta(days=7)) == 2
    assert waited(NOON + timedelta(days=1), NOON, timedelta(days=7)) == 0
    # a clock of nought, as for an emergency, does not divide
    assert waited(NOON - timedelta(days=1), NOON, timedelta(0)) == 0


def test_offers_expire_by_urgency() -> None:
    hours = {urgency: 24.0 for urgency in Urgency} | {Urgency.URGENT: 4.0}
    assert expires_at(Urgency.URGENT, NOON, hours) == NOON + timedelta(hours=4)
    assert expires_at(Urgency.SOON, NOON, hours) == NOON + timedelta(days=1)
