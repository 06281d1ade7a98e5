"""The shape of a policy file: what may be written in it, and how it becomes a `Policy`."""

from datetime import date, time, timedelta
from typing import Annotated, Literal, get_args
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.triage.domain import policy as rules
from services.triage.domain.business_days import BusinessDays, Calendar, Clock
from services.triage.domain.chart_conditions import PARTS
from services.triage.domain.conditions import KINDS
from shared.clinical import DIAGNOSES
from shared.instruments import Status
from shared.instruments.problems import ProblemCode
from shared.vocabulary import (
    EXTERNAL_LEVELS,
    MODALITIES,
    PROBLEMS,
    RED_FLAGS,
    WEEKDAYS,
    LevelOfCare,
    Priority,
    Sex,
    Urgency,
)

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$")]
LONGEST_TEXT = 400
Text = Annotated[str, StringConstraints(min_length=5, max_length=LONGEST_TEXT)]

CODES = {
    "red_flag": RED_FLAGS,
    "problem": PROBLEMS,
    "requested_priority": frozenset(Priority),
    "sex": frozenset(Sex),
    "external_level": EXTERNAL_LEVELS,
    "guardian": frozenset({"present", "absent", "not_needed"}),
    "sheet_problem": frozenset(get_args(ProblemCode)),
    "diagnosis_signal": frozenset(DIAGNOSES.signals),
    "not_understood": PARTS,
}
NEEDS = {
    "safety_item": ("items",),
    "answer": ("items", "at_least"),
    "total": ("instrument", "at_least"),
    "estimated_total": ("instrument", "at_least"),
    "clusters": ("instrument",),
    "treatments_without_benefit": ("at_least",),
    "several_problems": ("at_least",),
    "diagnosis": ("any_of",),
    "urgency": ("urgency",),
    **{kind: ("any_of",) for kind in CODES},
}
TAKES = {
    "safety_item": ("instrument", "at_least"),
    "answer": ("instrument",),
    "age": ("at_least", "below"),
    "safety_not_assessed": ("instrument",),
    "not_scored": ("instrument",),
    "contradictory_sheet": ("instrument",),
}
"""What a kind may have besides what it needs. Anything else would be passed over in silence."""


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


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


class SourceShape(Shape):
    source: Text
    status: Status


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


class ConditionShape(Shape):
    kind: str
    instrument: Id | None = None
    items: tuple[Id, ...] = ()
    any_of: tuple[str, ...] = ()
    at_least: Annotated[int, Field(ge=1)] | None = None
    below: Annotated[int, Field(ge=1)] | None = None
    urgency: Urgency | None = None

    @model_validator(mode="after")
    def makes_sense(self) -> "ConditionShape":
        if self.kind not in {*KINDS, "urgency"}:
            raise ValueError(f"kind is not one of {', '.join(sorted({*KINDS, 'urgency'}))}")
        for field in NEEDS.get(self.kind, ()):
            if not getattr(self, field):
                raise ValueError(f"{self.kind} needs {field}")
        taken = {"kind", *NEEDS.get(self.kind, ()), *TAKES.get(self.kind, ())}
        if passed_over := sorted(self.model_fields_set - taken):
            raise ValueError(f"{self.kind} takes no {', '.join(passed_over)}")
        if self.kind == "age" and self.at_least is None and self.below is None:
            raise ValueError("age needs at_least, below or both")
        strange = set(self.any_of) - CODES.get(self.kind, set(self.any_of))
        if strange:
            raise ValueError(f"not in the vocabulary: {', '.join(sorted(strange))}")
        return self

    def condition(self) -> rules.Condition:
        return rules.Condition(**self.model_dump())


class Fired(Shape):
    """What all three kinds of rule have in common."""

    id: Id
    when: Annotated[tuple[ConditionShape, ...], Field(min_length=1)]
    text: Text
    source: Text
    status: Status

    def conditions(self) -> tuple[rules.Condition, ...]:
        return tuple(shape.condition() for shape in self.when)


class RuleShape(Fired):
    raises_to: Urgency | None = None
    asks_review: bool = False
    holds: bool = False
    being_told: Annotated[str, StringConstraints(max_length=200)] = ""

    @model_validator(mode="after")
    def fits_in_a_sentence(self) -> "RuleShape":
        if len(f"{self.text} {self.being_told}") > LONGEST_TEXT:
            raise ValueError(f"text and being_told take {LONGEST_TEXT} characters together")
        return self

    def rule(self) -> rules.Rule:
        return rules.Rule(**self.model_dump(exclude={"when"}), when=self.conditions())


class LevelShape(Fired):
    domain: Literal["symptoms", "safety", "functioning", "coexisting", "history", "external"]
    level: LevelOfCare

    def rule(self) -> rules.LevelRule:
        return rules.LevelRule(**self.model_dump(exclude={"when"}), when=self.conditions())


class TeamShape(Fired):
    adds: Annotated[tuple[rules.Member, ...], Field(min_length=1)]
    first: bool = False

    def rule(self) -> rules.TeamRule:
        return rules.TeamRule(**self.model_dump(exclude={"when"}), when=self.conditions())


class PreventiveShape(Shape):
    problems: frozenset[str]
    bands: frozenset[str]
    text: Text
    source: Text
    status: Status


class IndicationShape(Shape):
    problem: str
    modality: str
    strength: rules.Strength
    source: Text
    status: Status
    age_from: int = 0
    age_below: int = 200
    instrument: Id | None = None
    total_from: int = 0
    total_below: int = 1000
    only_preventive: bool = False

    @model_validator(mode="after")
    def in_the_vocabulary(self) -> "IndicationShape":
        if self.problem not in PROBLEMS or self.modality not in MODALITIES:
            raise ValueError("problem or modality is not in the vocabulary")
        return self


class IndicationsFile(Shape):
    version: Id
    indication: Annotated[tuple[IndicationShape, ...], Field(min_length=1)]

    def indications(self) -> tuple[rules.IndicationRule, ...]:
        return tuple(rules.IndicationRule(**shape.model_dump()) for shape in self.indication)


class NextStepShape(Shape):
    text: Text
    names_a_service: bool = False


class ReviewingShape(SourceShape):
    claim: Span
    overdue_again: Span
    answer_within: Span
    remind_at: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=1)]

    def reviewing(self) -> rules.Reviewing:
        return rules.Reviewing(
            claim=self.claim.delta(),
            overdue_again=self.overdue_again.delta(),
            answer_within=self.answer_within.delta(),
            remind_at=tuple(sorted(self.remind_at)),
            source=self.source,
            status=self.status,
        )


class BetterShape(SourceShape):
    text: Text


class WaitingShape(SourceShape):
    after: Span
    text: Text

    def rule(self, urgency: Urgency) -> rules.Waiting:
        return rules.Waiting(
            id=f"waited-{urgency.replace('_', '-')}",
            after=self.after.delta(),
            text=self.text,
            source=self.source,
            status=self.status,
        )


class PolicyFile(Shape):
    name: Id
    version: Id
    status: Status
    review_at_latest: Span
    review: ReviewingShape
    extends: Id | None = None
    extends_version: Id | None = None
    calendar: CalendarShape | None = None
    clocks: dict[Urgency, ClockShape]
    clock_sources: dict[Urgency, SourceShape]
    rule: Annotated[tuple[RuleShape, ...], Field(min_length=1)]
    level: tuple[LevelShape, ...]
    team: tuple[TeamShape, ...]
    preventive: PreventiveShape
    reasons: dict[str, dict[Id, Text]]
    next_steps: dict[Id, NextStepShape]
    advice: dict[Id, Text]
    questions: dict[Id, Text]
    better: BetterShape
    waiting: dict[Urgency, WaitingShape]

    @model_validator(mode="after")
    def clocks_are_explained(self) -> "PolicyFile":
        if self.calendar is None and any(clock.business_days for clock in self.clocks.values()):
            raise ValueError("business_days need a [calendar]: zone, week, closes, holidays, holidays_until")
        if missing := set(self.clocks) - set(self.clock_sources):
            raise ValueError(f"clock_sources: {', '.join(sorted(missing))} needs a source and a status")
        return self

    def policy(self, indications: tuple[rules.IndicationRule, ...]) -> rules.Policy:
        calendar = self.calendar.calendar() if self.calendar else None
        return rules.Policy(
            name=self.name,
            version=self.version,
            clocks={urgency: shape.clock(calendar) for urgency, shape in self.clocks.items()},
            review_at_latest=self.review_at_latest.delta(),
            reviewing=self.review.reviewing(),
            rules=tuple(shape.rule() for shape in self.rule),
            levels=tuple(shape.rule() for shape in self.level),
            team=tuple(shape.rule() for shape in self.team),
            preventive=rules.Preventive(**self.preventive.model_dump()),
            indications=indications,
            reasons=self.reasons,
            next_steps={code: rules.NextStep(**step.model_dump()) for code, step in self.next_steps.items()},
            advice=self.advice,
            questions=self.questions,
            better=rules.Better(**self.better.model_dump()),
            waiting={urgency: shape.rule(urgency) for urgency, shape in self.waiting.items()},
        )
