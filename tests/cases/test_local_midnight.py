"""Ages and days turn at midnight where the client lives."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.intake.domain.acceptance import age_on
from shared.events import ReferralSubmitted
from shared.instruments import INSTRUMENTS
from shared.network import Network
from tests.cases.pipeline import RULES, Result, patched, submit

ZONES: Final = sorted(available_timezones())
EIGHTEEN: Final = patched({"client": {"birth_date": "2008-03-02"}})
"""18 years old on 2 March 2026, wherever that day has begun."""


def case(result: Result) -> Any:
    assert isinstance(result.fact, ReferralSubmitted)
    return result.fact.case


@pytest.mark.parametrize(
    ("zone", "at", "age", "day"),
    [
        ("America/New_York", "2026-03-02T00:30:00", 17, "2026-03-01"),  # pass-culture/pass-culture-api#2151
        ("America/New_York", "2026-03-02T04:59:59", 17, "2026-03-01"),
        ("America/New_York", "2026-03-02T05:00:00", 18, "2026-03-02"),
        ("Pacific/Auckland", "2026-03-01T10:59:59", 17, "2026-03-01"),
        ("Pacific/Auckland", "2026-03-01T11:00:00", 18, "2026-03-02"),
        ("UTC", "2026-03-01T23:59:59", 17, "2026-03-01"),
        ("UTC", "2026-03-02T00:00:00", 18, "2026-03-02"),
    ],
)
def test_the_18th_birthday_begins_at_the_networks_midnight(zone: str, at: str, age: int, day: str) -> None:
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    found = case(submit(EIGHTEEN, rules=replace(RULES, time_zone=zone), now=now))
    assert (found.age, found.as_of.isoformat()) == (age, day)
    assert found.guardian == ("absent" if age < 18 else "not_needed")


def test_a_region_has_a_midnight_of_its_own() -> None:
    network = Network.model_validate({"regions": {"otter": {"time_zone": "Pacific/Honolulu"}, "elk": {}}})
    rules = replace(RULES, network=network, time_zone="America/New_York")
    now = datetime(2026, 3, 2, 9, 59, tzinfo=UTC)  # 23:59 in Honolulu, 4:59 in New York
    assert case(submit(EIGHTEEN, rules=rules, now=now)).age == 17
    assert case(submit(patched({"client": {"region": "elk"}}, EIGHTEEN), rules=rules, now=now)).age == 18


def test_a_sheet_is_as_old_as_it_is_where_the_client_lives() -> None:
    """The first day on which a PHQ-9 counts no more begins at the local midnight."""
    taken_on = date(2026, 3, 1) - timedelta(days=INSTRUMENTS["phq9"].counts_days or 0)
    sheet = {"instrument": "phq9", "taken_on": taken_on.isoformat(), "answers": [0] * 9}
    rules = replace(RULES, time_zone="America/New_York")
    before = datetime(2026, 3, 2, 4, 59, tzinfo=UTC)
    for now, stale in ((before, False), (before + timedelta(minutes=1), True)):
        found = submit(patched({"screenings": [sheet]}), rules=rules, now=now)
        assert ("stale" in found.warnings) == stale


instants = st.integers(915_148_800, 2_208_988_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
"""Of the years 1999 to 2039."""


def age_by_counting(born: date, today: date) -> int:
    """Birthdays begun, day by day of each year; that of 29 February is 1 March where there is none."""

    def birthday(year: int) -> date:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        if (born.month, born.day) == (2, 29) and not leap:
            return date(year, 3, 1)
        return date(year, born.month, born.day)

    return sum(birthday(year) <= today for year in range(born.year + 1, today.year + 1))


@given(st.sampled_from(ZONES), instants, st.dates(date(1910, 1, 1), date(1998, 12, 31)))
@example(
    "America/Los_Angeles",
    datetime(2026, 3, 1, 7, 59, 59, tzinfo=UTC),
    date(2008, 2, 29) - timedelta(days=5844),
)
@example("Pacific/Apia", datetime(2011, 12, 30, 9, 59, 59, tzinfo=UTC), date(1980, 12, 30))  # a day left out
def test_an_age_is_the_age_by_the_calendar_of_the_zone(zone: str, now: datetime, born: date) -> None:
    today = replace(RULES, time_zone=zone).today("otter", now)
    assert today == now.astimezone(ZoneInfo(zone)).date()
    assert age_on(today, born) == age_by_counting(born, today)


@given(st.sampled_from(ZONES), instants, st.dates(date(1910, 1, 1), date(1998, 12, 31)))
def test_an_age_changes_at_a_local_midnight_only(zone: str, now: datetime, born: date) -> None:
    rules = replace(RULES, time_zone=zone)
    later = now + timedelta(hours=1)
    before, after = (age_on(rules.today("otter", at), born) for at in (now, later))
    if before != after:
        assert rules.today("otter", now) < rules.today("otter", later)
        assert after == before + 1


@given(st.dates(date(1910, 1, 1), date(2020, 1, 1)))
def test_a_leap_days_birthday_is_the_first_of_march_in_a_common_year(today: date) -> None:
    born = date(2008, 2, 29)
    assert age_on(date(2026, 2, 28), born) == 17
    assert age_on(date(2026, 3, 1), born) == 18
    assert age_on(date(2024, 2, 29), born) == 16
    assert age_on(today, today) == 0
