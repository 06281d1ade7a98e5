"""What came of a crisis, and until when it must be known."""

from datetime import UTC, datetime, timedelta

import pytest

from services.notify.domain.crisis_outcomes import outcome_due_at, respond_again_by
from services.notify.settings import NotifySettings
from shared.vocabulary import Urgency

START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
CLOCKS = NotifySettings().clocks
E, V, U, S = Urgency.EMERGENCY, Urgency.VERY_URGENT, Urgency.URGENT, Urgency.SOON


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("audience", "urgency", "respond_by", "due"),
    [
        ("psychiatrist", E, at(5), at(32)),
        ("psychiatrist", E, at(240), at(240)),  # never before the time to respond is over
        ("psychiatrist", E, None, at(32)),
        ("psychiatrist", V, at(240), at(242)),
        ("psychiatrist", U, at(600), None),
        ("clinician", E, at(5), None),
    ],
)
def test_an_outcome_has_a_clock(
    audience: str, urgency: Urgency, respond_by: datetime | None, due: datetime | None
) -> None:
    assert outcome_due_at(audience, urgency, respond_by, CLOCKS, acknowledged_at=at(2)) == due


def test_who_is_called_again_has_as_long_as_the_first() -> None:
    assert respond_again_by(at(0), at(5), now=at(60)) == at(65)
    assert respond_again_by(at(7), at(5), now=at(60)) == at(5), "it was past its time then"
