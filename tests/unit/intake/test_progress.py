"""Where a referral stands follows from what is known of it, in whatever order that became known."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.progress import CRISIS, MOVES_NOTHING, Heard, Progress, progress
from services.intake.domain.status import FHIR_STATUS, FINAL, State, next_actions
from shared.events import AnyFact
from shared.vocabulary import Urgency

MONDAY = datetime(2025, 3, 3, 9, tzinfo=UTC)
numbers = count(1)


def heard(
    type: str,
    *,
    revision: int = 1,
    decision: int = 0,
    minute: int = 0,
    urgency: Urgency | None = None,
    by_hour: int | None = None,
    in_review: bool = False,
    holds: bool = False,
    answer_hour: int | None = None,
    unanswered: bool = False,
    reason: str | None = None,
    next_step: str | None = None,
    audience: str | None = None,
    restates: Urgency | None = None,
    outcome: str | None = None,
) -> Heard:
    return Heard(
        event_id=UUID(int=next(numbers)),
        type=type,
        occurred_at=MONDAY + timedelta(minutes=minute),
        revision=revision,
        decision=decision,
        urgency=urgency,
        by=None if by_hour is None else MONDAY + timedelta(hours=by_hour),
        in_review=in_review,
        holds=holds,
        answer_by=None if answer_hour is None else MONDAY + timedelta(hours=answer_hour),
        unanswered=unanswered,
        reason=reason,
        next_step=next_step,
        audience=audience,
        restates=restates,
        outcome=outcome,
    )


SUBMITTED = heard("ReferralSubmitted")
ROUTINE = heard("ReferralTriaged", decision=1, minute=1, urgency=Urgency.ROUTINE, by_hour=600)
VERY_URGENT = heard("ReferralTriaged", decision=1, minute=1, urgency=Urgency.VERY_URGENT, by_hour=4)
OFFER = heard("MatchProposed", minute=2)
TAKEN = heard("MatchAccepted", minute=3)
ANSWERED = heard("NoticeAcknowledged", minute=4, audience="psychiatrist")
AMENDED = heard("ReferralAmended", revision=2, minute=5)
RETURN = heard(
    "ReferralReturned", decision=2, minute=4, reason="out_of_area", next_step="refer_on", by_hour=48
)

ASK = heard(
    "InformationRequested",
    decision=2,
    minute=6,
    urgency=Urgency.ROUTINE,
    by_hour=600,
    answer_hour=72,
    reason="unclear",
)
CRISIS_ASK = heard("InformationRequested", decision=2, minute=6, urgency=Urgency.VERY_URGENT)
REMINDED = heard("InformationReminded", decision=2, minute=7)
STATED = heard("ReferralTriaged", decision=1, minute=1, urgency=Urgency.EMERGENCY, restates=Urgency.EMERGENCY)
CONFIRMED = heard("ReferralTriaged", decision=2, minute=5, urgency=Urgency.EMERGENCY)
RESTATED = heard(
    "ReferralTriaged",
    revision=2,
    decision=3,
    minute=60,
    urgency=Urgency.EMERGENCY,
    restates=Urgency.VERY_URGENT,
)
PATCHED = heard("ReferralTriaged", revision=3, decision=4, minute=70, urgency=Urgency.EMERGENCY)
LESS_RESTATED = heard(
    "ReferralTriaged", revision=2, decision=3, minute=60, urgency=Urgency.EMERGENCY, restates=Urgency.URGENT
)
NOT_REACHED = heard("CrisisOutcomeRecorded", minute=30, audience="psychiatrist", outcome="not_reached")
NO_OUTCOME = heard("NoticeFailed", minute=30, audience="psychiatrist", reason="no_outcome")
REACHED = heard("CrisisOutcomeRecorded", minute=40, audience="psychiatrist", outcome="reached")


def answered(*, minute: int, revision: int = 1) -> Heard:
    return heard("NoticeAcknowledged", revision=revision, minute=minute, audience="psychiatrist")


LAPSED = heard("ReviewOverdue", decision=2, minute=7, unanswered=True)
OTHER_LATE = heard("ReviewOverdue", decision=1, minute=7, unanswered=True)


HISTORIES = [
    ("just arrived", [SUBMITTED], State.RECEIVED),
    ("triaged", [SUBMITTED, ROUTINE], State.TRIAGED),
    (
        "triaged, but a clinician still looks",
        [SUBMITTED, heard("ReferralTriaged", decision=1, urgency=Urgency.SOON, in_review=True)],
        State.IN_REVIEW,
    ),
    (
        "a clinician looks while matching goes on",
        [SUBMITTED, heard("ReferralTriaged", decision=1, urgency=Urgency.SOON, in_review=True), OFFER],
        State.OFFERED,
    ),
    (
        "matching waits for the clinician",
        [SUBMITTED, ROUTINE, OFFER, heard("ReviewRequested", decision=2, urgency=Urgency.SOON, holds=True)],
        State.IN_REVIEW,
    ),
    (
        "the clinician has decided",
        [
            SUBMITTED,
            heard("ReviewRequested", decision=1, urgency=Urgency.URGENT, holds=True),
            heard("ReferralTriaged", decision=2, urgency=Urgency.SOON),
        ],
        State.TRIAGED,
    ),
    ("offered", [SUBMITTED, ROUTINE, OFFER], State.OFFERED),
    (
        "declined, so somebody else is looked for",
        [SUBMITTED, ROUTINE, OFFER, heard("MatchDeclined", minute=3)],
        State.TRIAGED,
    ),
    (
        "waits",
        [SUBMITTED, ROUTINE, heard("ReferralWaitlisted", minute=2, reason="no_place")],
        State.WAITLISTED,
    ),
    ("accepted", [SUBMITTED, ROUTINE, OFFER, TAKEN], State.ACCEPTED),
    (
        "amended after acceptance keeps its therapist",
        [SUBMITTED, ROUTINE, OFFER, TAKEN, AMENDED],
        State.ACCEPTED,
    ),
    ("booked", [SUBMITTED, ROUTINE, OFFER, TAKEN, heard("AppointmentBooked", minute=9)], State.BOOKED),
    ("closed", [SUBMITTED, ROUTINE, OFFER, TAKEN, heard("ReferralClosed", minute=9)], State.CLOSED),
    ("a crisis nobody has answered", [SUBMITTED, VERY_URGENT, OFFER], State.CRISIS_HANDOVER),
    ("a crisis stated again", [SUBMITTED, STATED, ANSWERED, CONFIRMED, RESTATED], State.CRISIS_HANDOVER),
    (
        "a crisis stated again, then something else changed",
        [SUBMITTED, STATED, ANSWERED, CONFIRMED, RESTATED, PATCHED],
        State.CRISIS_HANDOVER,
    ),
    (
        "a crisis stated again that was answered",
        [SUBMITTED, STATED, ANSWERED, CONFIRMED, RESTATED, answered(minute=61, revision=2), PATCHED],
        State.TRIAGED,
    ),
    (
        "a crisis stated again while nobody had answered the first call, which then was answered",
        [SUBMITTED, STATED, RESTATED, answered(minute=61)],
        State.TRIAGED,
    ),
    (
        "a crisis stated again by somebody who has a therapist",
        [SUBMITTED, STATED, OFFER, TAKEN, RESTATED],
        State.CRISIS_HANDOVER,
    ),
    (
        "something less than a crisis stated after one that was answered",
        [SUBMITTED, STATED, ANSWERED, LESS_RESTATED],
        State.TRIAGED,
    ),
    (
        "a crisis was answered and the person not reached",
        [SUBMITTED, STATED, ANSWERED, NOT_REACHED],
        State.CRISIS_HANDOVER,
    ),
    (
        "acknowledged, and nobody said what came of it",
        [SUBMITTED, STATED, ANSWERED, NO_OUTCOME],
        State.CRISIS_HANDOVER,
    ),
    ("and then reached after all", [SUBMITTED, STATED, ANSWERED, NO_OUTCOME, REACHED], State.TRIAGED),
    ("and then reached", [SUBMITTED, STATED, ANSWERED, NOT_REACHED, REACHED], State.TRIAGED),
    (
        "and then somebody else has answered",
        [SUBMITTED, STATED, ANSWERED, NOT_REACHED, answered(minute=31)],
        State.TRIAGED,
    ),
    ("a crisis that was answered", [SUBMITTED, VERY_URGENT, OFFER, ANSWERED], State.OFFERED),
    ("a crisis somebody has taken on", [SUBMITTED, VERY_URGENT, OFFER, TAKEN], State.ACCEPTED),
    (
        "a crisis of somebody who was taken on before it",
        [SUBMITTED, ROUTINE, OFFER, TAKEN, heard("ReferralTriaged", revision=2, urgency=Urgency.EMERGENCY)],
        State.CRISIS_HANDOVER,
    ),
    (
        "a clinic's acknowledgement does not answer a crisis",
        [SUBMITTED, VERY_URGENT, heard("NoticeAcknowledged", audience="clinic")],
        State.CRISIS_HANDOVER,
    ),
    (
        "worse than what was answered",
        [
            SUBMITTED,
            VERY_URGENT,
            ANSWERED,
            heard("ReferralTriaged", revision=2, decision=2, urgency=Urgency.EMERGENCY),
        ],
        State.CRISIS_HANDOVER,
    ),
    (
        "no worse than what was answered",
        [
            SUBMITTED,
            VERY_URGENT,
            ANSWERED,
            heard("ReferralTriaged", revision=2, decision=2, urgency=Urgency.VERY_URGENT),
        ],
        State.TRIAGED,
    ),
    (
        "a crisis again, after it had passed",
        [
            SUBMITTED,
            VERY_URGENT,
            ANSWERED,
            heard("ReferralTriaged", revision=2, decision=2, urgency=Urgency.SOON),
            heard("ReferralTriaged", revision=3, decision=3, urgency=Urgency.VERY_URGENT),
        ],
        State.CRISIS_HANDOVER,
    ),
    ("returned with advice", [SUBMITTED, ROUTINE, RETURN], State.RETURNED),
    (
        "information is asked for",
        [SUBMITTED, ROUTINE, ASK],
        State.NEEDS_INFORMATION,
    ),
    (
        "information is asked for while a place is held",
        [SUBMITTED, ROUTINE, OFFER, ASK],
        State.NEEDS_INFORMATION,
    ),
    ("asked, and a therapist has accepted", [SUBMITTED, ROUTINE, OFFER, TAKEN, ASK], State.ACCEPTED),
    ("asked in a crisis nobody has answered", [SUBMITTED, VERY_URGENT, CRISIS_ASK], State.CRISIS_HANDOVER),
    ("asked and reminded", [SUBMITTED, ROUTINE, ASK, REMINDED], State.NEEDS_INFORMATION),
    ("asked and amended since", [SUBMITTED, ROUTINE, ASK, AMENDED], State.IN_REVIEW),
    ("asked, and not answered in time", [SUBMITTED, ROUTINE, ASK, LAPSED], State.IN_REVIEW),
    (
        "not answered in time and asked again",
        [SUBMITTED, ROUTINE, ASK, LAPSED, heard("InformationRequested", decision=3, minute=8)],
        State.NEEDS_INFORMATION,
    ),
    (
        "asked, and the clinician decides without an answer",
        [SUBMITTED, ROUTINE, ASK, heard("ReferralTriaged", decision=3, minute=8, urgency=Urgency.SOON)],
        State.TRIAGED,
    ),
    ("a review past its time is no answer", [SUBMITTED, ROUTINE, ASK, OTHER_LATE], State.NEEDS_INFORMATION),
    ("amended since it was returned", [SUBMITTED, RETURN, AMENDED], State.RECEIVED),
    (
        "triaged again since it was returned",
        [
            SUBMITTED,
            OFFER,
            RETURN,
            heard("ReferralClosed", minute=6, reason="returned"),
            AMENDED,
            heard("ReferralTriaged", revision=2, decision=3, minute=7, urgency=Urgency.SOON),
        ],
        State.TRIAGED,
    ),
    (
        "withdrawn, whatever else was said meanwhile",
        [SUBMITTED, heard("ReferralWithdrawn", revision=2), RETURN, heard("MatchProposed", revision=3)],
        State.WITHDRAWN,
    ),
]


@pytest.mark.parametrize(("facts", "state"), [h[1:] for h in HISTORIES], ids=[h[0] for h in HISTORIES])
def test_state_follows_from_the_facts(facts: list[Heard], state: State) -> None:
    assert progress(facts).state is state


def test_returned_says_why_and_what_comes_next_and_until_when() -> None:
    told = progress([SUBMITTED, ROUTINE, RETURN])
    assert (told.reason, told.next_step, told.by) == ("out_of_area", "refer_on", MONDAY + timedelta(hours=48))


def test_a_question_says_until_when_and_then_the_response_is_due() -> None:
    told = progress([SUBMITTED, ROUTINE, ASK])
    assert (told.by, told.reason, told.fhir_status) == (MONDAY + timedelta(hours=72), "unclear", "on-hold")
    assert progress([SUBMITTED, ROUTINE, ASK, LAPSED]).by == MONDAY + timedelta(hours=600)


def test_the_earliest_clock_of_one_decision_counts() -> None:
    review = heard("ReviewRequested", decision=1, urgency=Urgency.URGENT, by_hour=24)
    told = progress([SUBMITTED, ROUTINE, review])
    assert (told.urgency, told.by) == (Urgency.URGENT, MONDAY + timedelta(hours=24))


def test_the_clock_stops_when_somebody_has_taken_it_on() -> None:
    assert progress([SUBMITTED, ROUTINE, OFFER]).by == ROUTINE.by
    assert progress([SUBMITTED, ROUTINE, OFFER, TAKEN]).by is None


KINDS = sorted(kind.__name__ for kind in get_args(get_args(AnyFact)[0]))

facts = st.builds(
    Heard,
    event_id=st.uuids(),
    type=st.sampled_from(KINDS),
    occurred_at=st.integers(0, 3).map(lambda minute: MONDAY + timedelta(minutes=minute)),
    revision=st.integers(1, 3),
    decision=st.integers(0, 3),
    urgency=st.none() | st.sampled_from(list(Urgency)),
    by=st.none() | st.integers(1, 9).map(lambda hour: MONDAY + timedelta(hours=hour)),
    in_review=st.booleans(),
    holds=st.booleans(),
    unanswered=st.booleans(),
    reason=st.none() | st.sampled_from(["returned", "out_of_area", "no_outcome"]),
    audience=st.none() | st.sampled_from(["psychiatrist", "clinic"]),
    restates=st.none() | st.sampled_from(list(Urgency)),
    outcome=st.none() | st.sampled_from(["reached", "not_reached"]),
)


@given(st.lists(facts, max_size=12), st.data())
def test_no_order_and_no_repetition_of_the_same_facts_changes_anything(
    known: list[Heard], data: st.DataObject
) -> None:
    again = data.draw(st.permutations(known + known[: len(known) // 2]))
    assert progress(again) == progress(known)


@given(st.lists(facts, max_size=12), st.sampled_from(sorted(MOVES_NOTHING)), st.integers(1, 9))
def test_what_is_said_to_move_nothing_moves_nothing(known: list[Heard], type: str, revision: int) -> None:
    urgent = heard("ReferralTriaged", decision=1, urgency=Urgency.EMERGENCY)
    said = heard(type, revision=revision, decision=revision, by_hour=1, audience="psychiatrist")
    for facts in (known, [*known, urgent]):
        assert progress([*facts, said]) == progress(facts)


@given(st.lists(facts, max_size=12))
def test_a_withdrawal_is_the_last_word(known: list[Heard]) -> None:
    assert progress([*known, heard("ReferralWithdrawn")]).state is State.WITHDRAWN


@given(st.lists(facts, max_size=8), st.sampled_from(CRISIS))
def test_an_unanswered_crisis_is_never_shown_as_waiting(known: list[Heard], urgency: Urgency) -> None:
    """Nobody answered, and what came before was no crisis: an older appointment answers none."""
    unanswered = [f for f in known if f.type != "NoticeAcknowledged" and f.urgency not in CRISIS]
    crisis = heard("ReferralTriaged", revision=9, decision=9, urgency=urgency)
    assert progress([*unanswered, crisis]).state not in (
        State.RECEIVED,
        State.IN_REVIEW,
        State.TRIAGED,
        State.WAITLISTED,
        State.OFFERED,
        State.RETURNED,
        State.ACCEPTED,
        State.BOOKED,
    )


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_task_status_and_open_ones_a_way_on(state: State) -> None:
    assert FHIR_STATUS[state]
    assert bool(next_actions(state)) is (state not in FINAL or state is State.RETURNED)


def test_nothing_known_is_received() -> None:
    assert progress([]) == Progress(state=State.RECEIVED)


@pytest.mark.parametrize("before", [ANSWERED, TAKEN])
def test_what_becomes_a_crisis_later_in_one_revision_needs_an_answer_of_its_own(before: Heard) -> None:
    later = heard("ReferralTriaged", decision=2, minute=60, urgency=Urgency.VERY_URGENT, by_hour=5)
    known = [SUBMITTED, ROUTINE, OFFER, before, later]
    assert progress(known).state is State.CRISIS_HANDOVER
    answer = heard("NoticeAcknowledged", minute=61, audience="psychiatrist")
    assert progress([*known, answer]).state is not State.CRISIS_HANDOVER
