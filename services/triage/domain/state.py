"""The state of a referral in triage: what was decided so far, and what a person has yet to look at."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.triage.domain.claim import Claim
from services.triage.domain.reasons import Reason
from services.triage.domain.urgency import Before
from shared.vocabulary import Urgency

Status = Literal["new", "triaged", "held", "returned", "ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a clinician has asked the referrer; `reminders` are still to come."""

    codes: tuple[str, ...]
    by: str
    at: datetime
    reminders: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Open until a clinician decides or the referral ends. With `holds`, matching waits for it. `due_at` is
    when the deadline job next acts on it, `overdue_at` when it was first published as overdue. While the
    referrer is `asked`, the response is due by `review_by`.
    """

    urgency: Urgency
    review_by: datetime
    holds: bool
    reasons: tuple[Reason, ...]
    opened_at: datetime
    due_at: datetime
    overdue_at: datetime | None = None
    claim: Claim | None = None
    asked: Asked | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageState:
    """`decision` numbers the last decision published, `revision` the newest one acted on; 0 is none yet.
    `asks_for` is the urgency that the newest answers by themselves asked for. `waiting_since` counts from the
    first decision, or from when a person last looked, until the client is `taken_on` by a therapist.
    `rules_digest` names the rules that last ran on it, None where that was before it was kept."""

    referral_id: UUID
    region: str
    clinic: str
    revision: int = 0
    decision: int = 0
    status: Status = "new"
    urgency: Urgency | None = None
    respond_by: datetime | None = None
    express: bool = False
    by_clinician: bool = False
    settled: frozenset[tuple[str, str, str]] = field(default_factory=frozenset)
    review: Review | None = None
    asks_for: Urgency | None = None
    waiting_since: datetime | None = None
    taken_on: bool = False
    rules_digest: str | None = None

    @property
    def claim(self) -> Claim | None:
        return self.review.claim if self.review else None

    @property
    def before(self) -> Before | None:
        """What a new decision starts from; a returned referral that comes again starts anew."""
        if self.status not in ("triaged", "held") or self.urgency is None or self.respond_by is None:
            return None
        return Before(
            urgency=self.urgency,
            respond_by=self.respond_by,
            by_clinician=self.by_clinician,
            settled=self.settled,
        )
