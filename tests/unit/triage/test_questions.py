"""The referrer has a clock and reminders, and the referral's own clock does not wait for them."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.triage.domain.questions import ask, clock, faults, reminded
from services.triage.domain.urgency import Before
from services.triage.policy.checks import check
from shared.vocabulary import Urgency
from tests.unit.triage.samples import ASKED_AT, POLICY

HOUR = timedelta(hours=1)


def current(urgency: Urgency, respond_by: datetime) -> Before:
    return Before(urgency=urgency, respond_by=respond_by)


@pytest.mark.parametrize(
    ("urgency", "left", "given_time"),
    [
        (Urgency.ROUTINE, 28 * 24 * HOUR, 72 * HOUR),  # as long as the policy gives
        (Urgency.ROUTINE, 20 * HOUR, 20 * HOUR),  # the response is due before that
        (Urgency.URGENT, 24 * HOUR, 24 * HOUR),
        (Urgency.URGENT, HOUR, HOUR),
        (Urgency.URGENT, -HOUR, 24 * HOUR),  # its time has passed: no longer than another such time
        (Urgency.ROUTINE, -HOUR, 72 * HOUR),
        (Urgency.EMERGENCY, 4 * HOUR, HOUR / 12),
    ],
)
def test_how_long_the_referrer_has(urgency: Urgency, left: timedelta, given_time: timedelta) -> None:
    times = clock(current(urgency, ASKED_AT + left), POLICY, now=ASKED_AT)
    assert times.answer_by - ASKED_AT == given_time


@given(st.sampled_from(list(Urgency)), st.integers(-200, 1000))
def test_the_answer_is_never_due_after_the_response_and_reminders_come_before_it(
    urgency: Urgency, hours: int
) -> None:
    respond_by = ASKED_AT + hours * HOUR
    times = clock(current(urgency, respond_by), POLICY, now=ASKED_AT)
    assert times.answer_by > ASKED_AT
    assert times.answer_by <= respond_by or respond_by <= ASKED_AT
    assert list(times.reminders) == sorted(times.reminders)
    assert all(ASKED_AT < at < times.answer_by for at in times.reminders)
    assert times.reminders


def test_reminders_that_were_missed_are_given_as_one() -> None:
    before = current(Urgency.ROUTINE, ASKED_AT + 400 * HOUR)
    review = ask(None, before, ("consent",), POLICY, by="a", now=ASKED_AT)
    assert review.asked is not None
    assert review.due_at == ASKED_AT + 36 * HOUR
    once = reminded(review, review.asked, now=ASKED_AT + 36 * HOUR)
    assert once.due_at == ASKED_AT + 0.8 * 72 * HOUR
    late = reminded(review, review.asked, now=ASKED_AT + 71 * HOUR)
    assert late.asked is not None
    assert (late.due_at, late.asked.reminders) == (review.review_by, ())


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        (("consent", "birth_date"), []),
        ((), [("/questions", "questions_missing")]),
        (("consent", "shoe_size", "star_sign"), [("/questions/1", "unknown_question"),
                                                 ("/questions/2", "unknown_question")]),
        (("consent", "consent"), [("/questions", "asked_twice")]),
    ],
)  # fmt: skip
def test_every_question_that_can_not_be_asked_is_named(
    codes: tuple[str, ...], found: list[tuple[str, str]]
) -> None:
    assert [(fault.where, fault.code) for fault in faults(codes, POLICY)] == found


def test_a_policy_without_questions_is_not_whole() -> None:
    assert "questions: a referrer can be asked nothing" in list(check(replace(POLICY, questions={})))
