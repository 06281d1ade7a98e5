"""What clinicians send. Codes only: whatever needs words goes to the referrer by another way."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.triage.domain.clinician_decision import Action, Command
from services.triage.domain.consent import Why
from services.triage.domain.returns import Owner, Step
from shared.moments import StrictMoment
from shared.vocabulary import Code, Urgency

STEP: Final[dict[str, JsonValue]] = {
    "step": "refer_to_named_service",
    "service": "grief-centre-otter",
    "owner": "referrer",
    "by": "2026-03-09T17:00:00Z",
}


class StepBody(BaseModel):
    """A next step of the policy: who does it until when. A step that names a service needs its code."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [STEP]})

    step: Code
    owner: Owner
    by: StrictMoment
    service: Code | None = None


class DecisionBody(BaseModel):
    """What a clinician decides, in codes of the policy."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"action": "confirm", "seen": 2, "reason": "assessed"},
                {"action": "lower", "seen": 2, "urgency": "soon", "reason": "assessed_in_person"},
                {
                    "action": "ask",
                    "seen": 2,
                    "reason": "missing_information",
                    "questions": ["consent", "birth_date"],
                },
                {
                    "action": "return",
                    "seen": 2,
                    "reason": "other_service",
                    "advice": ["come_back_if_worse"],
                    "next_steps": [STEP],
                },
            ]
        },
    )

    action: Action
    seen: Annotated[int, Field(ge=1, description="Number of the newest decision you have read.")]
    reason: Code
    urgency: Urgency | None = None
    advice: Annotated[tuple[Code, ...], Field(max_length=20, description="To return: at least one.")] = ()
    next_steps: Annotated[
        tuple[StepBody, ...], Field(max_length=10, description="To return: at least one.")
    ] = ()
    questions: Annotated[
        tuple[Code, ...], Field(max_length=20, description="To ask: codes of the policy's questions.")
    ] = ()
    emergency_disclosure: Annotated[
        Why | None,
        Field(
            description="Share the substance-use part with this decision without consent (42 CFR 2.51). The "
            "decision says who, when and why; a later one withholds again."
        ),
    ] = None

    def command(self) -> Command:
        steps = tuple(Step(**step.model_dump()) for step in self.next_steps)
        return Command(**self.model_dump(exclude={"next_steps"}), next_steps=steps)
