"""The rules in a policy file: conditions, and the three kinds of rule that they make fire."""

from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints, model_validator

from services.triage.domain import policy as rules
from services.triage.domain.chart_conditions import PARTS
from services.triage.domain.conditions import KINDS
from services.triage.policy.schema_base import LONGEST_TEXT, Id, Shape, Text
from shared.clinical import DIAGNOSES
from shared.instruments import Status
from shared.instruments.problems import ProblemCode
from shared.vocabulary import (
    EXTERNAL_LEVELS,
    PROBLEMS,
    RED_FLAGS,
    LevelOfCare,
    Priority,
    Sex,
    Urgency,
)

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
