"""The shape of a policy file: what may be written in it, and how it becomes a `Policy`."""

from typing import Annotated

from pydantic import Field, model_validator

from services.triage.domain import policy as rules
from services.triage.policy.schema_base import Id, Shape, SourceShape, Text
from services.triage.policy.schema_clocks import CalendarShape, ClockShape, Span
from services.triage.policy.schema_rules import LevelShape, RuleShape, TeamShape
from shared.instruments import Status
from shared.vocabulary import MODALITIES, PROBLEMS, Urgency


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
