"""Whom next, when? An alert is not delivered until somebody acknowledges it.

A rung is one channel of one person on call. Silence moves up: the person's next channel, the next person,
then everyone at once and an alarm, which repeats until somebody answers and is never given up.
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
    """Local policy, to be confirmed by a clinician. A review's pace is a share of the time it has."""

    emergency: Pace
    very_urgent: Pace
    overdue: Pace
    review_fraction: float
    review_at_least: timedelta

    def page(self, urgency: Urgency) -> Pace:
        """The pace at which a psychiatrist is called."""
        return self.emergency if urgency is Urgency.EMERGENCY else self.very_urgent

    def review(self, time_left: timedelta) -> Pace:
        """The pace at which a triage clinician is called, who has `time_left`."""
        return Pace(max(self.review_at_least, time_left * self.review_fraction), max(time_left, timedelta()))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on call, with so many channels in their own order."""

    recipient: str
    channels: int


@dataclass(frozen=True, slots=True)
class Telling:
    """Who was told by which channel, last at what time; `failed`: their endpoint does not take it."""

    recipient: str
    channel: int
    at: datetime
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    opened_at: datetime
    pace: Pace
    tellings: tuple[Telling, ...] = ()
    alarmed_at: datetime | None = None
    acknowledged: bool = False

    @property
    def alarm_by(self) -> datetime:
        """From then on it counts as unanswered."""
        return self.opened_at + self.pace.alarm


@dataclass(frozen=True, slots=True)
class Rest:
    """Somebody answered."""


@dataclass(frozen=True, slots=True)
class Wait:
    until: datetime


@dataclass(frozen=True, slots=True)
class Tell:
    recipient: str
    channel: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """Everyone at once, and whoever runs the network."""

    reason: str


Step = Rest | Wait | Tell | Alarm


def next_step(alert: Alert, on_call: Sequence[Person], now: datetime) -> Step:
    """What to do now; after a `Wait`, ask again at its time or when who is on call has changed."""
    if alert.acknowledged:
        return Rest()
    untold = _untold(alert, on_call)
    silent_at = _silent_at(alert)
    alarm_at = _alarm_at(alert, on_call, untold, silent_at)
    if alarm_at <= now:
        return Alarm(NOBODY_ANSWERED if on_call else NOBODY_ON_CALL)
    if untold and silent_at <= now:
        return untold[0]
    return Wait(min(alarm_at, silent_at) if untold else alarm_at)


def after(alert: Alert, step: Step, on_call: Sequence[Person], now: datetime) -> Alert:
    """The alert once that step was taken."""
    match step:
        case Tell():
            return replace(alert, tellings=_told(alert, [step], now))
        case Alarm():
            return replace(alert, tellings=_told(alert, _rungs(on_call), now), alarmed_at=now)
        case _:
            return alert


def _told(alert: Alert, rungs: Sequence[Tell], now: datetime) -> tuple[Telling, ...]:
    """The newest telling of each rung."""
    again = {(rung.recipient, rung.channel) for rung in rungs}
    kept = (t for t in alert.tellings if (t.recipient, t.channel) not in again)
    return (*kept, *(Telling(rung.recipient, rung.channel, now) for rung in rungs))


def _rungs(on_call: Sequence[Person]) -> list[Tell]:
    return [Tell(person.recipient, channel) for person in on_call for channel in range(person.channels)]


def _untold(alert: Alert, on_call: Sequence[Person]) -> list[Tell]:
    told = {(telling.recipient, telling.channel) for telling in alert.tellings}
    return [rung for rung in _rungs(on_call) if (rung.recipient, rung.channel) not in told]


def _silent_at(alert: Alert) -> datetime:
    """When silence has lasted long enough. An endpoint that does not take it is not waited for."""
    if not alert.tellings:
        return alert.opened_at
    last = max(alert.tellings, key=lambda telling: (telling.at, not telling.failed))
    return last.at if last.failed else last.at + alert.pace.step


def _alarm_at(
    alert: Alert, on_call: Sequence[Person], untold: Sequence[Tell], silent_at: datetime
) -> datetime:
    if alert.alarmed_at is not None:
        return alert.alarmed_at + alert.pace.step
    if not on_call:
        return alert.opened_at
    return alert.alarm_by if untold else min(alert.alarm_by, silent_at)
