"""Clocks in a policy file, by the hour or by the working days of a calendar."""

from datetime import date, time, timedelta
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import Field, model_validator

from services.triage.domain.business_days import BusinessDays, Calendar, Clock
from services.triage.policy.schema_base import Shape, SourceShape
from shared.vocabulary import WEEKDAYS


class Span(Shape):
    minutes: Annotated[int, Field(ge=0)] = 0
    hours: Annotated[int, Field(ge=0)] = 0
    days: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def not_nothing(self) -> "Span":
        if not self.delta():
            raise ValueError("a clock needs minutes, hours or days")
        return self

    def delta(self) -> timedelta:
        return timedelta(days=self.days, hours=self.hours, minutes=self.minutes)


class ClockShape(Span):
    """Minutes, hours and days by the clock, or business days by the calendar of the policy."""

    business_days: Annotated[int, Field(ge=0, le=250)] = 0

    @model_validator(mode="after")
    def not_nothing(self) -> "ClockShape":
        if bool(self.delta()) == bool(self.business_days):
            raise ValueError("a clock needs minutes, hours or days, or else business_days")
        return self

    def clock(self, calendar: Calendar | None) -> Clock:
        if not self.business_days:
            return self.delta()
        assert calendar is not None
        return BusinessDays(self.business_days, calendar)


class CalendarShape(SourceShape):
    """Whose working days count. `holidays` are listed up to and with `holidays_until`."""

    zone: str
    week: Annotated[tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...], Field(min_length=1)]
    closes: time
    holidays: Annotated[tuple[date, ...], Field(min_length=1)]
    holidays_until: date

    @model_validator(mode="after")
    def makes_sense(self) -> "CalendarShape":
        if self.zone not in available_timezones():
            raise ValueError(f"zone {self.zone} is not a time zone such as America/New_York")
        if self.closes.tzinfo is not None:
            raise ValueError("closes is a time of day in the zone, such as 17:00:00")
        if len(set(self.holidays)) < len(self.holidays):
            raise ValueError("a holiday is listed twice")
        if late := [day for day in self.holidays if day > self.holidays_until]:
            raise ValueError(f"holiday {late[0]} is after holidays_until")
        return self

    def calendar(self) -> Calendar:
        return Calendar(
            zone=self.zone,
            week=frozenset(WEEKDAYS.index(day) for day in self.week),
            closes=self.closes,
            holidays=frozenset(self.holidays),
            holidays_until=self.holidays_until,
        )
