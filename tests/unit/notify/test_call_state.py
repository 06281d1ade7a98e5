"""Does a decision call anybody, or have they been called already?"""

import pytest

from services.notify.domain.call_state import Held, Known, Open, is_psychiatrist
from shared.vocabulary import Urgency

E, V, U, S = Urgency.EMERGENCY, Urgency.VERY_URGENT, Urgency.URGENT, Urgency.SOON


WAITING_V = frozenset({Open("psychiatrist", V)})
WAITING_E = frozenset({Open("psychiatrist", E)})


@pytest.mark.parametrize(
    ("known", "urgency", "calls"),
    [
        (Known(), E, True),
        (Known(), V, True),
        (Known(), U, False),  # a clinician reviews it; the psychiatrist is not called for a day's clock
        (Known(1, V), E, True),  # raised
        (Known(1, V, WAITING_V), E, True),  # raised, whatever is still open
        (Known(1, E), E, False),  # the same again, answered
        (Known(1, E, WAITING_E), E, False),  # the same again, unanswered: its own ladder goes on
        (Known(1, E), V, False),  # lowered
        (Known(2, U), E, True),  # lowered by a clinician, then raised again
        (Known(2, U, WAITING_E), E, False),  # the first call is still going on
    ],
)
def test_only_a_raise_calls_the_psychiatrist_again(known: Known, urgency: Urgency, calls: bool) -> None:
    assert known.calls_psychiatrist(urgency) is calls


@pytest.mark.parametrize(
    ("known", "urgency", "calls"),
    [
        (Known(), U, True),
        (Known(), S, False),
        (Known(1, U, psychiatrist_notified=U), U, False),  # the same again
        (Known(1, U, psychiatrist_notified=V), U, False),  # lowered by a clinician
        (Known(1, U, frozenset({Open("psychiatrist", U)})), U, False),
        (Known(1, U), U, True),  # joins the team
        (Known(1, S, psychiatrist_notified=S), U, True),
        (Known(1, S, psychiatrist_notified=U), U, True),  # lowered, then raised again
    ],
)
def test_a_psychiatrist_on_the_team_is_called_from_urgent_on(
    known: Known, urgency: Urgency, calls: bool
) -> None:
    assert known.calls_psychiatrist(urgency, on_team=True) is calls
    assert not known.calls_psychiatrist(urgency)


def test_a_revision_calls_each_audience_once() -> None:
    called = Known().called("psychiatrist", E, revision=2)
    assert not called.calls_again("psychiatrist", 2) and called.calls_again("psychiatrist", 3)
    assert called.calls_again("clinician", 1)


def test_the_most_urgent_alert_counts() -> None:
    held = Known(held=frozenset({Held("psychiatrist", V, "ada"), Held("psychiatrist", E, "ben")}))
    assert held.held_at("psychiatrist", V) == Held("psychiatrist", E, "ben")
    assert held.held_at("clinician", V) is None
    assert Known(held=frozenset({Held("psychiatrist", V, "ada")})).held_at("psychiatrist", E) is None


@pytest.mark.parametrize(
    ("on_call", "recipient_of", "psychiatrist"),
    [
        (True, None, True),
        (True, "psychiatrist", True),
        (True, "clinician", False),  # a clinician on the rota
        (False, "psychiatrist", True),
        (False, "coordinator", False),
        (False, None, False),
    ],
)
def test_who_is_a_psychiatrist(on_call: bool, recipient_of: str | None, psychiatrist: bool) -> None:
    assert is_psychiatrist(on_call=on_call, recipient_of=recipient_of) is psychiatrist


def test_each_review_is_new_work_unless_one_as_urgent_is_open() -> None:
    assert Known(1, U).calls_clinician(U)
    assert not Known(1, U, frozenset({Open("clinician", U)})).calls_clinician(U)
    assert Known(1, U, frozenset({Open("clinician", U)})).calls_clinician(V)
    assert Known(1, U, frozenset({Open("clinician", U)})).reviewed().calls_clinician(U)


def test_an_older_decision_is_stale() -> None:
    assert Known(3).is_stale(2)
    assert not Known(3).is_stale(3)
