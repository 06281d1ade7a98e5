"""Clocks that count business days: worked out by hand, and what holds for every moment."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.triage.domain.business_days import BusinessDays, Calendar, always_shorter
from services.triage.policy.checks import POLICIES, load
from shared.vocabulary import Urgency

NEW_YORK = Calendar(
    zone="America/New_York",
    week=frozenset({0, 1, 2, 3, 4}),
    closes=time(17),
    holidays=frozenset({date(2026, 7, 3), date(2026, 11, 26)}),
    holidays_until=date(2026, 12, 31),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("asked_at", "days", "due"),
    [
        ("2026-03-02T09:00-05:00", 1, "2026-03-03T17:00-05:00"),  # Monday, so Tuesday at the close
        ("2026-03-06T09:00-05:00", 1, "2026-03-09T17:00-04:00"),  # Friday, so Monday; clocks went forward
        ("2026-03-07T09:00-05:00", 1, "2026-03-09T17:00-04:00"),  # Saturday is as good as Friday
        ("2026-03-09T01:00+00:00", 1, "2026-03-09T17:00-04:00"),  # Monday in UTC, still Sunday there
        ("2026-07-02T12:00-04:00", 1, "2026-07-06T17:00-04:00"),  # Thursday before a Friday holiday
        ("2026-11-16T12:00-05:00", 10, "2026-12-01T17:00-05:00"),  # Thanksgiving lies between
    ],
)
def test_when_business_days_run_out(asked_at: str, days: int, due: str) -> None:
    assert at(asked_at) + BusinessDays(days, NEW_YORK) == at(due)


MOMENTS = st.timedeltas(timedelta(0), timedelta(days=1000)).map(at("2026-01-01T00:00Z").__add__)


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=30)), st.integers(1, 20))
def test_asking_later_never_brings_an_earlier_deadline(
    asked_at: datetime, later: timedelta, days: int
) -> None:
    clock = BusinessDays(days, NEW_YORK)
    assert asked_at < asked_at + clock <= asked_at + later + clock
    assert asked_at + clock < asked_at + BusinessDays(days + 1, NEW_YORK)


def test_which_clock_is_shorter_at_every_moment() -> None:
    ten = BusinessDays(10, NEW_YORK)
    assert always_shorter(timedelta(days=7), ten)
    assert always_shorter(ten, BusinessDays(11, NEW_YORK))
    assert not always_shorter(timedelta(days=14), ten)  # asked on a Friday evening ten days are shorter
    assert not always_shorter(ten, timedelta(days=14))  # and with a holiday between, longer
    assert not always_shorter(ten, ten)


def nth(year: int, month: int, weekday: int, number: int) -> date:
    """The so-manyth of a weekday in a month, from the end where the number is negative."""
    days = [date(year, month, day) for day in range(1, 31)]
    days += [date(year, month, 31)] if month in (1, 5, 10, 12) else []
    return [day for day in days if day.weekday() == weekday][number if number < 0 else number - 1]


def observed(day: date) -> date:
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def federal(year: int) -> set[date]:
    fixed = {observed(date(year, *day)) for day in ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))}
    mondays = {nth(year, 1, 0, 3), nth(year, 5, 0, -1), nth(year, 9, 0, 1), nth(year, 10, 0, 2)}
    february = {date(year, 2, day) for day in range(15, 22) if date(year, 2, day).weekday() == 0}
    return fixed | mondays | february | {nth(year, 11, 3, 4)} | {observed(date(year + 1, 1, 1))}


def test_the_holidays_that_ship_are_those_of_the_law() -> None:
    clock = load(POLICIES / "us-access-standards.toml").clocks[Urgency.ROUTINE]
    assert isinstance(clock, BusinessDays)
    expected = {day for year in (2026, 2027) for day in federal(year) if day.year == year}
    listed = {day for day in clock.calendar.holidays if day.weekday() < 5}
    assert listed == {day for day in expected if day.weekday() < 5}
    assert clock.calendar.holidays == listed, "a holiday at the weekend is not the day observed"
