"""Working days: when a clock that counts them runs out. Which days nobody works is data of the policy."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """`week` holds the days worked, Monday is 0; `zone` is an IANA name such as `America/New_York`.

    After `holidays_until` no holiday is known, so every day of `week` counts: a deadline can then only
    come too early, never too late.
    """

    zone: str
    week: frozenset[int]
    closes: time
    holidays: frozenset[date]
    holidays_until: date

    def works_on(self, day: date) -> bool:
        return day.weekday() in self.week and day not in self.holidays


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """A clock to be added to a moment, as a timedelta is: `asked_at + clock`.

    The day of asking does not count, whatever the hour; the deadline is the close of the last day counted.
    So whoever asks later never gets an earlier deadline, and a closed day costs nobody a day.
    """

    count: int
    calendar: Calendar

    def __radd__(self, asked_at: datetime) -> datetime:
        zone = ZoneInfo(self.calendar.zone)
        day = asked_at.astimezone(zone).date()
        for _ in range(self.count):
            day = self._next_worked(day)
        return datetime.combine(day, self.calendar.closes, tzinfo=zone).astimezone(UTC)

    def _next_worked(self, day: date) -> date:
        day += timedelta(days=1)
        while not self.calendar.works_on(day):
            day += timedelta(days=1)
        return day


Clock = timedelta | BusinessDays


def always_shorter(one: Clock, other: Clock) -> bool:
    """Whether `one` runs out before `other` whenever both are started; tried hour by hour around holidays."""
    if isinstance(one, timedelta) and isinstance(other, timedelta):
        return one < other
    return all(start + one < start + other for start in _starts(one, other))


def _starts(*clocks: Clock) -> list[datetime]:
    """Every hour of two weeks around each holiday, and of the weeks after the last one known."""
    calendars = [clock.calendar for clock in clocks if isinstance(clock, BusinessDays)]
    days = {day for calendar in calendars for day in (*calendar.holidays, calendar.holidays_until)}
    around = {day + timedelta(days=shift) for day in days for shift in range(-14, 15)}
    return [datetime.combine(day, time(hour), tzinfo=UTC) for day in sorted(around) for hour in range(24)]
