"""What intake answers. The shapes here are what is sent and what the API's description shows."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.intake.api import response_examples as examples
from services.intake.api.requests import ReferralForm
from services.intake.domain.status import State
from shared.vocabulary import Urgency


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Warned(Answer):
    """Taken nevertheless; `where` points into what was sent."""

    where: str
    what: str
    code: str


class CrisisLine(Answer):
    name: str
    contact: str
    how: str


class SafetyAdvice(Answer):
    """What to do now, and `because` of which answers, observations or diagnoses."""

    text: str
    lines: tuple[CrisisLine, ...]
    because: tuple[str, ...]


class Links(Answer):
    self: str
    amendments: str
    screenings: str
    withdrawal: str
    events: str


class Accepted(Answer):
    """The referral, or the change to it, is stored; whatever happens now, it is not lost."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ACCEPTED]})

    id: UUID
    state: State
    fhir_status: str
    revision: int
    express: bool
    warnings: tuple[Warned, ...] = ()
    safety_advice: SafetyAdvice | None = None
    links: Links


class NextAction(Answer):
    action: str
    method: Literal["POST"] | None = None
    href: str | None = None


class Entry(Answer):
    """A fact that became known: `reasons` are the rules behind a decision."""

    event_id: UUID
    type: str
    at: datetime
    revision: int
    what: str
    reasons: tuple[dict[str, Any], ...] = ()
    details: dict[str, Any] = {}


class Standing(Answer):
    """Where a referral stands. `due_by` is when somebody must have responded or, with `next_step`, when the
    referrer's next step is due or, in `needs_information`, when the referrer's answer is."""

    id: UUID
    clinic: str
    region: str
    state: State
    fhir_status: str = Field(description="FHIR R4 Task.status.")
    fhir_priority: Literal["stat"] | None = Field(default=None, description="In a crisis handover.")
    urgency: Urgency | None = Field(default=None, description="How soon somebody must respond.")
    due_by: datetime | None = None
    reason: str | None = None
    next_step: str | None = None
    revision: int
    express: bool
    created_at: datetime
    updated_at: datetime
    links: Links


class Question(Answer):
    code: str
    text: str


class Advice(Answer):
    code: str
    text: str


class NextStep(Answer):
    """`service` is the network's code of the service that is named."""

    step: str
    text: str
    owner: str
    by: datetime
    service: str | None = None


class ReferralAnswer(Standing):
    """`questions` are what a clinician asks the referrer, in `needs_information`; to answer, amend the
    referral or record a screening. `advice` and `next_steps` are what it was `returned` with."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.REFERRAL]})

    questions: tuple[Question, ...] = ()
    advice: tuple[Advice, ...] = ()
    next_steps: tuple[NextStep, ...] = ()
    next_actions: tuple[NextAction, ...]
    timeline: tuple[Entry, ...]


class ReferralPage(Answer):
    """Oldest change first. Ask on with `cursor` until there is none."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PAGE]})

    referrals: tuple[Standing, ...]
    next_cursor: str | None = None


class NotUnderstood(Answer):
    """A value that nobody could read, as it was sent: with which revision, and at which place of the body."""

    revision: int
    where: str
    part: str
    value: Any


class IdentityAnswer(Answer):
    """The whole form as it now stands, for whoever must reach the person; `not_understood` is what came with
    it and is not in it."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.IDENTITY]})

    id: UUID
    revision: int
    age: int | None = None
    referral: ReferralForm
    not_understood: tuple[NotUnderstood, ...] = ()


class FaultAnswer(Answer):
    where: str
    what: str
    code: str


class ProblemAnswer(Answer):
    """RFC 9457 problem details; `errors` names every problem at once. `safety_advice` says what to do now
    about what cannot wait and was not taken."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PROBLEM]})

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: tuple[FaultAnswer, ...] = ()
    safety_advice: SafetyAdvice | None = None


class BatchAnswer(Answer):
    """The answer to one line: `referral` when it was taken, `problem` when it was not."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.BATCH_TAKEN, examples.BATCH_REFUSED]})

    line: int
    status: int
    referral: Accepted | None = None
    problem: ProblemAnswer | None = None
