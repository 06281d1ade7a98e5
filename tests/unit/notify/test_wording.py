"""What a notice says: a response time and what to do. Nothing about a person, nothing about danger."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.notify.domain import alert_wording, wording, words
from services.notify.domain.crisis_outcomes import MISSED, NOT_REACHED
from services.notify.domain.ladder import NOBODY_ANSWERED, NOBODY_ON_CALL
from services.notify.domain.words import Words
from shared.vocabulary import PROBLEMS, RED_FLAGS, Urgency

DUE = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
UNANSWERED = ("clinician", "psychiatrist")


def everything() -> Iterator[Words]:
    for urgency in Urgency:
        yield alert_wording.called(urgency, DUE)
        for flag in (True, False):
            yield from alert_wording.overdue(urgency, DUE, unanswered=flag)
            yield from wording.asked(DUE, again=flag)
            yield from alert_wording.review(urgency, DUE, holds=flag)
            yield from wording.triaged(urgency, DUE, calls=flag, in_review=not flag)
        for audience, other in (UNANSWERED, UNANSWERED[::-1]):
            yield from alert_wording.alarm(NOBODY_ANSWERED, audience, urgency, DUE, acknowledged=[other])
            yield from alert_wording.alarm(NOBODY_ON_CALL, audience, urgency, None)
        for late in (True, False):
            yield alert_wording.called(urgency, DUE, late=late)
            for why in (MISSED, NOT_REACHED):
                yield alert_wording.called_again(urgency, DUE, why=why, late=late)
        yield wording.on_team(urgency, DUE)
        for part in wording.PART:
            for reachable in (True, False):
                yield wording.primary_care_part(part, DUE, reachable=reachable)
                yield from wording.triaged(
                    urgency, DUE, calls=True, in_review=True, tells=True, part=part, reachable=reachable
                )
    for unanswered in (UNANSWERED, ()):
        yield from wording.returned(DUE, unanswered)
        yield from wording.withdrawn(unanswered)
        yield from wording.closed(unanswered)
    for audience, other in (UNANSWERED, UNANSWERED[::-1]):
        for is_open in (True, False):
            yield alert_wording.part_acknowledged(audience, other, still_open=is_open)
    yield alert_wording.gap()
    for said in (
        alert_wording.called(Urgency.EMERGENCY, DUE),
        *alert_wording.review(Urgency.URGENT, DUE, holds=False),
    ):
        yield replace(said, text=alert_wording.stated_again(alert_wording.stated_again(said.text, DUE), DUE))
    yield from wording.ask_again()
    yield from wording.proposed(DUE)
    yield from wording.accepted()
    yield from wording.declined(answered=True)
    yield from wording.declined(answered=False)
    yield from wording.freed()
    yield from wording.waitlisted(DUE)
    yield from wording.booked(DUE)


ALL = list(everything())


def audiences(words: list[Words]) -> set[str]:
    return {said.audience for said in words}


@pytest.mark.parametrize("said", ALL, ids=lambda said: f"{said.audience}: {said.title}")
def test_no_notice_labels_a_person_or_tells_of_their_state(said: Words) -> None:
    spoken = f"{said.title} {said.text}".lower()
    for word in (
        "risk",
        "suicid",
        "safe",
        "danger",
        "harm",
        "severe",
        "mild",
        "diagnos",
        "patient",
        "psychi",
    ):
        if word == "psychi" and "psychiatrist on call" in spoken:
            continue  # who is called, not what for
        assert word not in spoken
    codes = {code.replace("_", " ") for code in PROBLEMS | RED_FLAGS} - {"wellbeing"}
    assert not [code for code in codes if re.search(rf"\b{code}\b", spoken)]


@pytest.mark.parametrize("said", ALL, ids=lambda said: f"{said.audience}: {said.title}")
def test_every_notice_is_short_whole_sentences(said: Words) -> None:
    assert said.title and len(said.title) <= 90
    assert said.text.endswith(".") and len(said.text) <= 300


def test_the_psychiatrist_on_call_must_answer() -> None:
    said = alert_wording.called(Urgency.EMERGENCY, DUE)
    assert (said.audience, said.alert, said.respond_by) == ("psychiatrist", True, DUE)
    assert said.title == "A referral needs an immediate response"
    assert "2026-03-02 14:30 UTC" in said.text


def test_a_review_must_be_answered_by_a_clinician_within_its_time() -> None:
    said = alert_wording.review(Urgency.URGENT, DUE, holds=False)
    assert [(w.audience, w.alert, w.respond_by) for w in said] == [("clinician", True, DUE)]


def test_the_referrer_is_told_of_a_review_that_everything_waits_for() -> None:
    said = alert_wording.review(Urgency.URGENT, DUE, holds=True)
    assert audiences(said) == {"clinician", "clinic", "primary_care"}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (wording.triaged(Urgency.SOON, DUE, calls=False, in_review=False), {"clinic", "primary_care"}),
        (wording.returned(DUE, ()), {"clinic", "primary_care"}),
        (wording.proposed(DUE), {"therapist", "clinic", "primary_care"}),
        (wording.accepted(), {"clinic", "primary_care"}),
        (wording.declined(answered=True), {"clinic", "primary_care"}),
        (wording.declined(answered=False), {"clinic", "primary_care", "therapist"}),
        (wording.freed(), {"therapist"}),
        (wording.waitlisted(DUE), {"clinic", "primary_care"}),
        (wording.booked(DUE), {"clinic", "primary_care"}),
        (wording.closed(()), {"clinic", "primary_care"}),
        (wording.withdrawn(()), {"clinic", "primary_care"}),
        (alert_wording.alarm(NOBODY_ANSWERED, "clinician", Urgency.EMERGENCY, DUE), {"coordinator", "ops"}),
        (alert_wording.alarm(NOBODY_ON_CALL, "psychiatrist", Urgency.EMERGENCY, DUE), {"coordinator", "ops"}),
    ],
)
def test_who_is_told_of_what(said: list[Words], told: set[str]) -> None:
    assert audiences(said) == told
    assert len(said) == len(told), "each audience once"
    assert not any(words.alert for words in said)


def test_primary_care_need_not_have_an_endpoint_of_its_own() -> None:
    reach = {w.audience: w.must_reach for w in wording.proposed(DUE)}
    assert reach == {"therapist": True, "clinic": True, "primary_care": False}


def test_an_end_does_not_silence_an_alert_but_says_that_it_is_still_open() -> None:
    for said in (
        wording.closed(UNANSWERED),
        wording.withdrawn(UNANSWERED),
        wording.returned(DUE, UNANSWERED),
    ):
        added = [words for words in said if words.audience in UNANSWERED]
        assert [words.audience for words in added] == list(UNANSWERED)
        assert all("stays open" in words.text for words in added)


def alarm(reason: str, audience: str, *acknowledged: str) -> str:
    return alert_wording.alarm(reason, audience, Urgency.EMERGENCY, DUE, acknowledged=acknowledged)[0].text


def test_an_alarm_says_whose_part_has_no_answer_and_whose_has() -> None:
    alone = alarm(NOBODY_ANSWERED, "clinician")
    assert "No clinician on call has acknowledged it." in alone and "is acknowledged" not in alone
    assert "There is no psychiatrist on call." in alarm(NOBODY_ON_CALL, "psychiatrist")
    shown = alarm(NOBODY_ANSWERED, "clinician", "psychiatrist")
    assert "The part of the psychiatrist on call is acknowledged." in shown
    assert "obody has acknowledged" not in shown


def test_who_ends_a_psychiatrists_part_must_take_it_over() -> None:
    assert "take it over" in alarm(NOBODY_ANSWERED, "psychiatrist")
    assert "take it over" not in alarm(NOBODY_ANSWERED, "clinician")


def test_a_deadline_that_is_over_is_not_asked_for() -> None:
    said = alert_wording.called(Urgency.VERY_URGENT, DUE, late=True).text
    assert "It was due by" in said and "Please respond by" not in said


def test_stated_again_is_said_once_with_the_last_time() -> None:
    said = alert_wording.called(Urgency.EMERGENCY, DUE).text
    later = DUE + timedelta(minutes=5)
    assert alert_wording.stated_again(alert_wording.stated_again(said, DUE), later) == (
        f"{said} It was stated again at 2026-03-02 14:35 UTC."
    )


def test_times_are_told_in_utc_and_say_so() -> None:
    half_past = timezone(timedelta(hours=5, minutes=30))
    assert words.at(datetime(2026, 3, 2, 20, 0, tzinfo=half_past)) == "2026-03-02 14:30 UTC"


def test_every_urgency_has_words() -> None:
    assert set(words.RESPONSE) == set(Urgency)
