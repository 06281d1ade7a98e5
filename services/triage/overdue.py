"""What time alone brings: a review that nobody decided in time is said to be overdue, and said again, until
somebody decides it. Whoever is told stops hearing of it by acknowledging; the review does not end by that.
"""

from dataclasses import replace
from datetime import datetime

from services.triage.deciding import Outcome, stamp
from services.triage.rules import Policy
from services.triage.standing import Review, Standing
from shared.events import ReviewOverdue


def tell(standing: Standing, policy: Policy, *, now: datetime) -> Outcome:
    """Nothing before its time, so that of two replicas only the first says it."""
    review = standing.review
    if review is None or now < review.due_at:
        return Outcome(standing, ())
    fact = ReviewOverdue(
        **stamp(standing, now),
        urgency=review.urgency,
        review_by=review.review_by,
        held_by=review.claim.by if review.claim and review.claim.stands(now) else None,
    )
    told = replace(review, overdue_at=review.overdue_at or now, due_at=_again(review, policy, now))
    return Outcome(replace(standing, review=told), (fact,))


def _again(review: Review, policy: Policy, now: datetime) -> datetime:
    return min(now + policy.reviewing.overdue_again, now + policy.clocks[review.urgency])
