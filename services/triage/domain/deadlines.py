"""What time alone brings: a review that nobody decided in time is said to be overdue, and said again, until
somebody decides it; a referrer who was asked is reminded, and at the end the review comes back. Whoever is
told stops hearing of it by acknowledging; the review does not end by that.
"""

from dataclasses import replace
from datetime import datetime

from services.triage.domain.policy import Policy
from services.triage.domain.questions import reminded
from services.triage.domain.rules_decision import Outcome, stamp
from services.triage.domain.state import Review, Standing
from shared.events import InformationReminded, ReviewOverdue


def tell(standing: Standing, policy: Policy, *, now: datetime) -> Outcome:
    """Nothing before its time, so that of two replicas only the first says it."""
    review = standing.review
    if review is None or now < review.due_at:
        return Outcome(standing, ())
    if review.asked and now < review.review_by:
        return _remind(standing, review, now)
    fact = ReviewOverdue(
        **stamp(standing, now),
        urgency=review.urgency,
        review_by=review.review_by,
        held_by=review.claim.by if review.claim and review.claim.stands(now) else None,
        unanswered=review.asked is not None,
    )
    told = replace(
        review, overdue_at=review.overdue_at or now, due_at=_again(review, policy, now), asked=None
    )
    return Outcome(replace(standing, review=told), (fact,))


def _remind(standing: Standing, review: Review, now: datetime) -> Outcome:
    fact = InformationReminded(**stamp(standing, now), urgency=review.urgency, answer_by=review.review_by)
    return Outcome(replace(standing, review=reminded(review, now=now)), (fact,))


def _again(review: Review, policy: Policy, now: datetime) -> datetime:
    return min(now + policy.reviewing.overdue_again, now + policy.clocks[review.urgency])
