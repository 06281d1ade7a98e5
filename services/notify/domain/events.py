"""What happened to a referral, as far as it decides who is notified of what."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.vocabulary import Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`type` is its name on the wire."""

    id: UUID
    type: str
    occurred_at: datetime
    referral_id: UUID
    revision: int
    clinic: str
    region: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageEvent(Event):
    express: bool
    decision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Triaged(TriageEvent):
    """`restates`: the urgency that the newest request by itself asks for, where it states something again."""

    urgency: Urgency
    respond_by: datetime
    team: tuple[str, ...] = ()
    in_review: bool = False
    decided_by: str | None = None
    restates: Urgency | None = None
    not_understood: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequested(TriageEvent):
    urgency: Urgency
    review_by: datetime
    team: tuple[str, ...] = ()
    holds: bool = False
    asks_again: bool = False
    restates: Urgency | None = None
    not_understood: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationRequested(TriageEvent):
    urgency: Urgency
    answer_by: datetime
    decided_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationReminded(TriageEvent):
    urgency: Urgency
    answer_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOverdue(TriageEvent):
    urgency: Urgency
    review_by: datetime
    unanswered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned(TriageEvent):
    next_step_by: datetime
    decided_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageEnded(TriageEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingEvent(Event):
    urgency: Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed(MatchingEvent):
    therapist: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(MatchingEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined(MatchingEvent):
    """`answered` is false where the offer ended without the therapist's own response."""

    therapist: UUID
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waitlisted(MatchingEvent):
    try_again_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked(MatchingEvent):
    starts_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(MatchingEvent):
    """`therapist` is whose place it frees, if anybody's."""

    therapist: UUID | None
