"""One clinician at a time: while one has claimed a review, nobody else decides it.

A claim ends by itself, so that nobody who went home holds a review. It ends no later than the review's own
response time, so that it never keeps others from what cannot wait.
"""

from dataclasses import dataclass
from datetime import datetime

from services.triage.domain.policy import Policy
from services.triage.domain.refusal import Conflict
from shared.vocabulary import Urgency, at_least_as_urgent


@dataclass(frozen=True, slots=True)
class Claim:
    by: str
    until: datetime

    def is_active(self, now: datetime) -> bool:
        return now < self.until


def claim_review(current: Claim | None, urgency: Urgency, policy: Policy, *, by: str, now: datetime) -> Claim:
    """Whoever holds it already holds it longer. Raises `Conflict` while somebody else holds it."""
    refuse_if_another(current, by=by, now=now)
    return Claim(by, min(now + policy.reviewing.claim, now + policy.clocks[urgency]))


def after_change(claim: Claim | None, *, before: Urgency, now: Urgency) -> Claim | None:
    """A review that has become more urgent is open to everyone who is called for it."""
    return claim if at_least_as_urgent(before, now) else None


def refuse_if_another(claim: Claim | None, *, by: str, now: datetime) -> None:
    """Raises `Conflict` while somebody else holds it."""
    if claim is not None and claim.is_active(now) and claim.by != by:
        raise Conflict(
            "claimed_by_another",
            f"{claim.by} holds this review until {claim.until:%Y-%m-%dT%H:%M:%SZ}. Nothing was changed. Ask "
            "them to decide or to release it, wait until then, or have a coordinator release it.",
        )
