"""What clinicians send. Codes only: what should be said in words is said to the referrer."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.triage import clinician
from services.triage.withholding import Why
from shared.events import Code
from shared.vocabulary import Urgency


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
                    "next_step": "refer_to_named_service",
                    "next_step_days": 7,
                },
            ]
        },
    )

    action: clinician.Action
    seen: Annotated[int, Field(ge=1, description="Number of the newest decision you have read.")]
    reason: Code
    urgency: Urgency | None = None
    next_step: Code | None = None
    next_step_days: Annotated[int, Field(ge=1, le=90)] | None = None
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
