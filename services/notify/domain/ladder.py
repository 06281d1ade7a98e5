"""Whom next, when? An alert is not delivered until somebody acknowledges it.

A rung is one channel of one person on call. Silence moves up: each person's first channel, then their
second ones, then everyone at once and an alarm, which repeats until somebody acknowledges, without end.
Steps are shares of the time that is left to respond: two people are asked and the alarm is given within it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared.vocabulary import Urgency

NOBODY_ANSWERED: Final = "nobody_answered"
NOBODY_ON_CALL: Final = "nobody_on_call"


@dataclass(frozen=True, slots=True)
class Pace:
    """Silence of `step` moves up a rung; after `alarm` the alarm is given, however many rungs are left."""

    step: timedelta
    alarm: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Local policy, to be confirmed by a clinician: shares of the time left, and what they never exceed.

    `emergency` and `very_urgent` bound step and alarm, `longest_step` the step of what is less urgent; that
    takes `patient_step_share`. `overdue` is the pace of a review past its time that could wait.
    `outcome_*`: how long after an acknowledgement the outcome of a crisis may take.
    """

    step_share: float
    patient_step_share: float
    alarm_share: float
    step_at_least: timedelta
    emergency: Pace
    very_urgent: Pace
    longest_step: timedelta
    overdue: Pace
    outcome_emergency: timedelta
    outcome_very_urgent: timedelta

    def pace(self, urgency: Urgency, time_left: timedelta) -> Pace:
        """Past its time, the next person is called after the shortest step and the alarm given after two."""
        left = max(time_left, timedelta())
        share, longest = self._bounds(urgency, left)
        step = max(self.step_at_least, min(left * share, longest.step))
        return Pace(step, max(2 * self.step_at_least, min(left * self.alarm_share, longest.alarm)))

    def _bounds(self, urgency: Urgency, left: timedelta) -> tuple[float, Pace]:
        match urgency:
            case Urgency.EMERGENCY:
                return self.step_share, self.emergency
            case Urgency.VERY_URGENT:
                return self.step_share, self.very_urgent
        return self.patient_step_share, Pace(self.longest_step, left)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on call, with this number of channels in their own order."""

    recipient: str
    channels: int


@dataclass(frozen=True, slots=True)
class Notified:
    """Who was notified by which channel, last at what time; `failed`: their endpoint does not take it."""

    recipient: str
    channel: int
    at: datetime
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    opened_at: datetime
    pace: Pace
    notified: tuple[Notified, ...] = ()
    alarmed_at: datetime | None = None
    acknowledged: bool = False

    @property
    def alarm_by(self) -> datetime:
        """From then on it counts as unanswered."""
        return self.opened_at + self.pace.alarm


@dataclass(frozen=True, slots=True)
class Rest:
    """Somebody acknowledged."""


@dataclass(frozen=True, slots=True)
class Wait:
    until: datetime


@dataclass(frozen=True, slots=True)
class Notify:
    recipient: str
    channel: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """Everyone at once, and whoever runs the network."""

    reason: str


Step = Rest | Wait | Notify | Alarm


def next_step(alert: Alert, on_call: Sequence[Person], now: datetime) -> Step:
    """What to do now; after a `Wait`, look again at its time or when who is on call has changed."""
    if alert.acknowledged:
        return Rest()
    rungs_left = _rungs_left(alert, on_call)
    silent_at = _silent_at(alert)
    alarm_at = _alarm_at(alert, on_call, rungs_left, silent_at)
    if alarm_at <= now:
        return Alarm(NOBODY_ANSWERED if on_call else NOBODY_ON_CALL)
    if rungs_left and silent_at <= now:
        return rungs_left[0]
    return Wait(min(alarm_at, silent_at) if rungs_left else alarm_at)


def at_once(alert: Alert, on_call: Sequence[Person]) -> Notify | Alarm:
    """The step after this one, without waiting for its time."""
    rungs_left = _rungs_left(alert, on_call)
    if rungs_left and alert.alarmed_at is None:
        return rungs_left[0]
    return Alarm(NOBODY_ANSWERED if on_call else NOBODY_ON_CALL)


def notified_again(alert: Alert, now: datetime) -> Alert:
    """Whoever was notified so far has been notified once more."""
    return replace(alert, notified=tuple(replace(t, at=now, failed=False) for t in alert.notified))


def after(alert: Alert, step: Step, on_call: Sequence[Person], now: datetime) -> Alert:
    """The alert once that step was taken."""
    match step:
        case Notify():
            return replace(alert, notified=_notified_now(alert, [step], now))
        case Alarm():
            return replace(alert, notified=_notified_now(alert, _rungs(on_call), now), alarmed_at=now)
        case _:
            return alert


def _notified_now(alert: Alert, rungs: Sequence[Notify], now: datetime) -> tuple[Notified, ...]:
    """The newest notification of each rung."""
    again = {(rung.recipient, rung.channel) for rung in rungs}
    kept = (t for t in alert.notified if (t.recipient, t.channel) not in again)
    return (*kept, *(Notified(rung.recipient, rung.channel, now) for rung in rungs))


def _rungs(on_call: Sequence[Person]) -> list[Notify]:
    """Another person before another channel of the same one."""
    most = max((person.channels for person in on_call), default=0)
    return [
        Notify(person.recipient, channel)
        for channel in range(most)
        for person in on_call
        if channel < person.channels
    ]


def _rungs_left(alert: Alert, on_call: Sequence[Person]) -> list[Notify]:
    notified = {(one.recipient, one.channel) for one in alert.notified}
    return [rung for rung in _rungs(on_call) if (rung.recipient, rung.channel) not in notified]


def _silent_at(alert: Alert) -> datetime:
    """When silence has lasted long enough. An endpoint that does not take it is not waited for."""
    if not alert.notified:
        return alert.opened_at
    last = max(alert.notified, key=lambda one: (one.at, not one.failed))
    return last.at if last.failed else last.at + alert.pace.step


def _alarm_at(
    alert: Alert, on_call: Sequence[Person], rungs_left: Sequence[Notify], silent_at: datetime
) -> datetime:
    if alert.alarmed_at is not None:
        return alert.alarmed_at + alert.pace.step
    if not on_call:
        return alert.opened_at
    return alert.alarm_by if rungs_left else min(alert.alarm_by, silent_at)
