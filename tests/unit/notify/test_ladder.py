"""An alert ends in an acknowledgement or an alarm, never in silence."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.ladder import (
    NOBODY_ANSWERED,
    NOBODY_ON_CALL,
    Alarm,
    Alert,
    Notified,
    Notify,
    Pace,
    Person,
    Rest,
    Step,
    Wait,
    after,
    next_step,
)
from services.notify.settings import NotifySettings
from shared.vocabulary import Urgency

START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PACE = Pace(step=5 * MINUTE, alarm=30 * MINUTE)
ALERT = Alert(opened_at=START, pace=PACE)

ADA, BEN = Person("ada", 2), Person("ben", 1)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@dataclass(frozen=True)
class Happened:
    step: Step
    at: datetime


def escalate(
    alert: Alert,
    on_call: list[Person],
    *,
    until: datetime,
    answered_at: datetime | None = None,
    refusing: frozenset[str] = frozenset(),
) -> list[Happened]:
    """Asks again exactly when it was told to, as the service does."""
    done: list[Happened] = []
    now = alert.opened_at
    while now <= until:
        if answered_at is not None and now >= answered_at:
            alert = replace(alert, acknowledged=True)
        step = next_step(alert, on_call, now)
        if isinstance(step, Rest):
            return [*done, Happened(step, now)]
        if isinstance(step, Wait):
            assert step.until > now, "a wait that is over is a hot loop"
            later = step.until
            now = min(later, answered_at) if answered_at is not None and answered_at > now else later
            continue
        done.append(Happened(step, now))
        alert = after(alert, step, on_call, now)
        told = tuple(replace(t, failed=t.recipient in refusing) for t in alert.notified)
        alert = replace(alert, notified=told)
    return done


def test_silence_moves_up_from_person_to_person_to_second_channels_to_everyone() -> None:
    assert escalate(ALERT, [ADA, BEN], until=at(21)) == [
        Happened(Notify("ada", 0), at(0)),
        Happened(Notify("ben", 0), at(5)),
        Happened(Notify("ada", 1), at(10)),
        Happened(Alarm(NOBODY_ANSWERED), at(15)),
        Happened(Alarm(NOBODY_ANSWERED), at(20)),
    ]


def test_an_answer_ends_it() -> None:
    assert escalate(ALERT, [ADA, BEN], until=at(60), answered_at=at(7)) == [
        Happened(Notify("ada", 0), at(0)),
        Happened(Notify("ben", 0), at(5)),
        Happened(Rest(), at(7)),
    ]


def test_an_answer_ends_the_alarm_too() -> None:
    last = escalate(ALERT, [BEN], until=at(600), answered_at=at(333))[-1]
    assert last == Happened(Rest(), at(333))


def test_with_nobody_on_call_the_alarm_is_immediate_and_repeats() -> None:
    assert escalate(ALERT, [], until=at(5)) == [
        Happened(Alarm(NOBODY_ON_CALL), at(0)),
        Happened(Alarm(NOBODY_ON_CALL), at(5)),
    ]


def test_who_comes_on_call_after_the_alarm_is_told_at_once() -> None:
    alarmed = after(ALERT, Alarm(NOBODY_ON_CALL), [], at(0))
    assert next_step(alarmed, [BEN], at(2)) == Notify("ben", 0)


def test_an_endpoint_that_does_not_take_it_is_not_waited_for() -> None:
    done = escalate(ALERT, [ADA, BEN], until=at(4), refusing=frozenset({"ada"}))
    assert done == [
        Happened(Notify("ada", 0), at(0)),
        Happened(Notify("ben", 0), at(0)),
    ]


def test_a_long_list_of_people_does_not_put_off_the_alarm() -> None:
    crowd = [Person(f"p{n}", 3) for n in range(50)]
    alarms = [h.at for h in escalate(ALERT, crowd, until=at(31)) if isinstance(h.step, Alarm)]
    assert alarms == [at(30)]


CLOCKS = NotifySettings().clocks
HOUR = 60 * MINUTE
E, V, U, S = Urgency.EMERGENCY, Urgency.VERY_URGENT, Urgency.URGENT, Urgency.SOON


@pytest.mark.parametrize(
    ("urgency", "left", "step", "alarm"),
    [
        (E, 5 * MINUTE, 1.5 * MINUTE, 4 * MINUTE),  # 0, 90, 180, and the alarm after 240 seconds
        (E, 2 * MINUTE, MINUTE, 2 * MINUTE),
        (E, -HOUR, MINUTE, 2 * MINUTE),  # past its time
        (E, HOUR, 5 * MINUTE, 15 * MINUTE),  # never slower than before steps were shares
        (V, 4 * HOUR, 15 * MINUTE, 60 * MINUTE),
        (V, 30 * MINUTE, 9 * MINUTE, 24 * MINUTE),
        (V, -MINUTE, MINUTE, 2 * MINUTE),
        (U, 24 * HOUR, 4 * HOUR, 19.2 * HOUR),
        (U, 4 * HOUR, HOUR, 3.2 * HOUR),
        (S, 24 * HOUR, 4 * HOUR, 19.2 * HOUR),  # a review
        (S, -HOUR, MINUTE, 2 * MINUTE),
    ],
)
def test_steps_are_shares_of_the_time_left(
    urgency: Urgency, left: timedelta, step: timedelta, alarm: timedelta
) -> None:
    assert CLOCKS.pace(urgency, left) == Pace(step, alarm)


def test_five_minutes_ask_three_rungs_and_are_an_alarm_after_four() -> None:
    alert = Alert(opened_at=START, pace=CLOCKS.pace(E, 5 * MINUTE))
    assert escalate(alert, [ADA, BEN], until=at(4)) == [
        Happened(Notify("ada", 0), at(0)),
        Happened(Notify("ben", 0), at(1.5)),
        Happened(Notify("ada", 1), at(3)),
        Happened(Alarm(NOBODY_ANSWERED), at(4)),
    ]


@given(
    st.sampled_from(Urgency),
    st.timedeltas(min_value=timedelta(seconds=121), max_value=timedelta(days=42)),
    st.lists(st.integers(1, 5), min_size=2, max_size=6),
)
def test_two_people_are_asked_by_sixty_percent_and_the_alarm_comes_before_the_end(
    urgency: Urgency, left: timedelta, channels: list[int]
) -> None:
    on_call = [Person(f"p{n}", count) for n, count in enumerate(channels)]
    alert = Alert(opened_at=START, pace=CLOCKS.pace(urgency, left))
    done = escalate(alert, on_call, until=START + left)
    asked = {h.step.recipient for h in done if isinstance(h.step, Notify) and h.at <= START + 0.6 * left}
    assert len(asked) >= 2
    assert [h for h in done if isinstance(h.step, Alarm) and h.at < START + left]


@given(st.timedeltas(min_value=-timedelta(days=9), max_value=timedelta(seconds=121)))
def test_however_little_time_is_left_the_second_person_is_called_in_a_minute(left: timedelta) -> None:
    for urgency in Urgency:
        done = escalate(Alert(opened_at=START, pace=CLOCKS.pace(urgency, left)), [ADA, BEN], until=at(2))
        assert Happened(Notify("ben", 0), at(1)) in done
        assert done[-1] == Happened(Alarm(NOBODY_ANSWERED), at(2))


people = st.lists(
    st.builds(Person, st.sampled_from(["ada", "ben", "cleo", "dov"]), st.integers(1, 3)),
    max_size=4,
    unique_by=lambda person: person.recipient,
)
paces = st.builds(
    Pace,
    st.integers(2, 40).map(lambda half_minutes: half_minutes * MINUTE / 2),
    st.integers(0, 120).map(lambda minutes: minutes * MINUTE),
)
refusing = st.frozensets(st.sampled_from(["ada", "ben", "cleo", "dov"]))
answers = st.none() | st.integers(0, 14_000).map(lambda s: START + timedelta(seconds=s))
END = START + timedelta(hours=4)


@given(people, paces, refusing, answers)
def test_it_ends_in_an_answer_or_an_alarm_never_in_silence(
    on_call: list[Person], pace: Pace, refused: frozenset[str], answered_at: datetime | None
) -> None:
    alert = Alert(opened_at=START, pace=pace)
    done = escalate(alert, on_call, until=END, answered_at=answered_at, refusing=refused)
    alarms = [h.at for h in done if isinstance(h.step, Alarm)]
    if answered_at is not None:
        assert done[-1] == Happened(Rest(), answered_at)
        assert all(h.at < answered_at for h in done[:-1]), "no step after the answer"
    if answered_at is None or answered_at > alert.alarm_by:
        assert alarms, "nobody answered and no alarm was given"
        assert alarms[0] <= alert.alarm_by
        quiet = [later - earlier for earlier, later in pairwise([*alarms, answered_at or END])]
        assert all(gap <= pace.step for gap in quiet), "an alarm repeats until somebody answers"


@given(people, paces, refusing)
def test_no_step_before_its_time(on_call: list[Person], pace: Pace, refused: frozenset[str]) -> None:
    done = escalate(Alert(opened_at=START, pace=pace), on_call, until=END, refusing=refused)
    for before, then in pairwise(done):
        refused_it = isinstance(before.step, Notify) and before.step.recipient in refused
        last_call = isinstance(then.step, Alarm) and then.at >= START + pace.alarm
        assert then.at - before.at >= pace.step or refused_it or last_call
    for before, then in pairwise(h for h in done if isinstance(h.step, Alarm)):
        assert then.at - before.at >= pace.step


@given(people, paces)
def test_everyone_on_call_is_told_by_every_channel_once_before_the_alarm_or_by_it(
    on_call: list[Person], pace: Pace
) -> None:
    done = escalate(Alert(opened_at=START, pace=pace), on_call, until=END)
    told = [(h.step.recipient, h.step.channel) for h in done if isinstance(h.step, Notify)]
    rungs = [
        (person.recipient, channel) for channel in range(3) for person in on_call if channel < person.channels
    ]
    assert told == rungs[: len(told)], "another person before another channel, each once"


@given(people, paces, st.lists(st.integers(0, 3000), max_size=6))
def test_an_acknowledged_alert_takes_no_further_step(
    on_call: list[Person], pace: Pace, seconds: list[int]
) -> None:
    told = tuple(Notified("ada", n, START + timedelta(seconds=s)) for n, s in enumerate(seconds))
    alert = Alert(opened_at=START, pace=pace, notified=told, acknowledged=True)
    assert next_step(alert, on_call, END) == Rest()
