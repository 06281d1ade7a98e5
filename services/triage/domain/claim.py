"""One clinician at a time: whoever takes a review holds it for a while, and nobody else decides it meanwhile.

A claim ends by itself, so that nobody who went home holds a review, and with the review's own response time,
so that it never keeps others from what cannot wait.
"""

from dataclasses import dataclass
from datetime import datetime

from services.triage.domain.policy import Policy
from shared.vocabulary import Urgency, at_least_as_urgent
from shared.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Claim:
    by: str
    until: datetime

    def stands(self, now: datetime) -> bool:
        return now < self.until


def ends_at(urgency: Urgency, policy: Policy, *, now: datetime) -> datetime:
    """When a review of this urgency, claimed now, is free again."""
    return min(now + policy.reviewing.claim, now + policy.clocks[urgency])


def after_change(claim: Claim | None, *, before: Urgency, now: Urgency) -> Claim | None:
    """What has become more urgent is open to everyone who is called for it."""
    return claim if at_least_as_urgent(before, now) else None


def refuse_if_another(claim: Claim | None, *, by: str, now: datetime) -> None:
    """Raises `Problem` 409 while somebody else holds it."""
    if claim is not None and claim.stands(now) and claim.by != by:
        raise Problem(
            409,
            "claimed_by_another",
            f"{claim.by} holds this review until {claim.until:%Y-%m-%dT%H:%M:%SZ}. Nothing was changed. Ask "
            "them to decide or to release it, wait until then, or have a coordinator release it.",
        )
