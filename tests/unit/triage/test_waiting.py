"""Who has waited too long, and who has not: a moment, an open review or a therapist makes the difference."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.triage.domain.outcome import Outcome
from services.triage.domain.state import Review, TriageState
from services.triage.domain.waiting import ask_again, since
from services.triage.outgoing_events import decision_of
from shared.vocabulary import Urgency
from tests.unit.triage.samples import ASKED_AT, POLICY

AFTER = POLICY.waiting[Urgency.ROUTINE].after
NOW = ASKED_AT + AFTER
SECOND = timedelta(seconds=1)
STATE = TriageState(
    referral_id=UUID(int=1),
    region="north",
    clinic="clinic-1",
    revision=1,
    decision=1,
    status="triaged",
    urgency=Urgency.ROUTINE,
    respond_by=NOW,
    waiting_since=ASKED_AT,
)
REVIEW = Review(urgency=Urgency.ROUTINE, review_by=NOW, holds=False, reasons=(), opened_at=NOW, due_at=NOW)


def test_who_has_waited_so_long_is_looked_at() -> None:
    outcome = ask_again(STATE, POLICY, now=NOW)
    asked, basis = outcome.state, outcome.basis
    (event,) = decision_of(outcome, None, POLICY, now=NOW).events
    assert event.type == "ReviewRequested" and event.decision == asked.decision == 2
    assert asked.review is not None and asked.review.review_by == NOW + POLICY.review_at_latest
    assert (asked.waiting_since, asked.urgency, asked.respond_by) == (NOW, Urgency.ROUTINE, NOW)
    assert basis is not None and basis.rules == ("waited-routine",)


@pytest.mark.parametrize(
    "changes",
    [
        {"waiting_since": ASKED_AT + SECOND},
        {"review": REVIEW},
        {"taken_on": True},
        {"status": "held"},
        {"status": "returned"},
        {"status": "ended"},
        {"urgency": Urgency.PREVENTIVE},
        {"waiting_since": None},
    ],
)
def test_nobody_else_is(changes: dict[str, Any]) -> None:
    state = replace(STATE, **changes)
    assert ask_again(state, POLICY, now=NOW) == Outcome(state=state)


def test_the_more_urgent_are_looked_at_no_later() -> None:
    moments = since(POLICY, now=NOW)
    assert set(moments) == set(Urgency)
    assert sorted(moments.values(), reverse=True) == [moments[urgency] for urgency in Urgency]
