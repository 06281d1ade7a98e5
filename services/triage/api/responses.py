"""The responses of triage, problems included, and their examples."""

from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.triage.db.reviews import QueuedReview
from services.triage.domain.state import Asked
from shared.events import FiredRule
from shared.vocabulary import Urgency
from shared.web import openapi

ID: Final = "01a205f1-9f0c-7cc1-8f3e-0a4a5c1c9d11"
RULE: Final[dict[str, JsonValue]] = {
    "rule": "asked-unknown",
    "datum": "requested_priority=unknown",
    "text": "The requested priority is missing or was not understood. A person decides.",
    "on": None,
}
REVIEW: Final[dict[str, JsonValue]] = {
    "referral_id": ID,
    "decision": 2,
    "revision": 1,
    "state": "triaged",
    "urgency": "soon",
    "region": "otter",
    "clinic": "clinic-riverside",
    "express": False,
    "respond_by": "2026-03-09T14:00:00Z",
    "review_by": "2026-03-03T14:00:00Z",
    "overdue": False,
    "holds": False,
    "reasons": [RULE],
    "opened_at": "2026-03-02T14:00:00Z",
    "claimed_by": "dr-grey",
    "claimed_until": "2026-03-02T15:10:00Z",
    "asked": None,
}
TRIAGED: Final[dict[str, JsonValue]] = {
    "type": "ReferralTriaged",
    "decision": 2,
    "revision": 1,
    "occurred_at": "2026-03-02T14:00:00Z",
    "urgency": "soon",
    "respond_by": "2026-03-09T14:00:00Z",
    "level_of_care": "low_intensity",
    "team": ["therapist"],
    "rules": [RULE],
    "policy": "network-default",
    "policy_version": "2026-01",
    "in_review": True,
    "decided_by": None,
}
RATE: Final[dict[str, JsonValue]] = {
    "rule": "asked-unknown",
    "policy": "network-default",
    "policy_version": "2026-01",
    "fired": 41,
    "confirmed": 25,
    "raised": 2,
    "lowered": 9,
    "returned": 3,
    "asked": 6,
}


WHEN: Final = {
    403: "The token's role may not do this, or its subject is not a code.",
    404: "There is no such thing here.",
    409: "Somebody else holds it, something changed since it was read, or it is over; `detail` says what "
    "to do.",
}
PROBLEM: Final = {
    "type": "urn:careroute:problem:seen_is_old",
    "title": "Conflict",
    "status": 409,
    "code": "seen_is_old",
    "detail": "Something changed since you looked. Read the decisions again, then decide.",
    "errors": [{"where": "/seen", "what": "The newest decision is number 3.", "code": "seen_is_old"}],
}

problems = partial(openapi.problems, when=WHEN, example=PROBLEM)


class Decisions(BaseModel):
    """Everything triage has published about a referral, oldest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"referral_id": ID, "decisions": [TRIAGED]}]},
    )

    referral_id: UUID
    decisions: list[dict[str, Any]]


class WaitingReview(BaseModel):
    """`decision` is the number to send back as `seen`."""

    model_config = ConfigDict(json_schema_extra={"examples": [REVIEW]})

    referral_id: UUID
    decision: int
    revision: int
    state: str
    urgency: Urgency
    region: str
    clinic: str
    express: bool
    respond_by: datetime
    review_by: datetime
    overdue: bool
    holds: bool
    reasons: list[FiredRule]
    opened_at: datetime
    claimed_by: str | None = Field(description="Who has claimed it; nobody else decides it meanwhile.")
    claimed_until: datetime | None
    asked: Asked | None = Field(description="It waits for the referrer, who must answer by `review_by`.")

    @classmethod
    def of(cls, review: QueuedReview, *, now: datetime) -> "WaitingReview":
        return cls(**asdict(review), overdue=review.review_by < now)


class Reviews(BaseModel):
    """`next_cursor` asks for the following page as `cursor`; null at the end."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reviews": [REVIEW], "next_cursor": None}]})

    reviews: list[WaitingReview]
    next_cursor: str | None


class Claimed(BaseModel):
    """Claim it again before `claimed_until` to hold it longer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"referral_id": ID, "claimed_by": "dr-grey", "claimed_until": "2026-03-02T15:10:00Z"},
            ]
        }
    )

    referral_id: UUID
    claimed_by: str
    claimed_until: datetime


class Decided(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "referral_id": ID,
                    "decision": 3,
                    "state": "triaged",
                    "urgency": "soon",
                    "respond_by": "2026-03-09T14:00:00Z",
                }
            ]
        }
    )

    referral_id: UUID
    decision: int
    state: str
    urgency: Urgency | None
    respond_by: datetime | None


class RuleRate(BaseModel):
    """On how many referrals a rule fired, and what clinicians decided where it had. `routine` and
    `preventive` stand for: no rule raised it."""

    model_config = ConfigDict(json_schema_extra={"examples": [RATE]})

    rule: str
    policy: str
    policy_version: str
    fired: int
    confirmed: int
    raised: int
    lowered: int
    returned: int
    asked: int


class Overrides(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"since": "2026-01-01T00:00:00Z", "rules": [RATE]}]}
    )

    since: datetime
    rules: list[RuleRate]
