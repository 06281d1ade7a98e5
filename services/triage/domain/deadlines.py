"""What time alone brings: a review that nobody decided in time is published as overdue, and again until
somebody decides it; a referrer who was asked is reminded, and at the end the review comes back. Acknowledging
ends the notifications; it does not end the review.
"""

from dataclasses import replace
from datetime import datetime

from services.triage.domain.outcome import Outcome, Overdue, Reminded
from services.triage.domain.policy import Policy
from services.triage.domain.questions import reminded
from services.triage.domain.state import Asked, Review, TriageState


def act_on_deadline(state: TriageState, policy: Policy, *, now: datetime) -> Outcome:
    """Nothing before its time, so that of two replicas only the first publishes it."""
    review = state.review
    if review is None or now < review.due_at:
        return Outcome(state=state)
    if review.asked and now < review.review_by:
        return _remind(state, review, review.asked, now)
    return _overdue(state, review, policy, now)


def _overdue(state: TriageState, review: Review, policy: Policy, now: datetime) -> Outcome:
    event = Overdue(
        decision=state.decision,
        urgency=review.urgency,
        review_by=review.review_by,
        held_by=review.claim.by if review.claim and review.claim.is_active(now) else None,
        unanswered=review.asked is not None,
    )
    again = min(now + policy.reviewing.overdue_again, now + policy.clocks[review.urgency])
    overdue = replace(review, overdue_at=review.overdue_at or now, due_at=again, asked=None)
    return Outcome(state=replace(state, review=overdue), published=(event,))


def _remind(state: TriageState, review: Review, asked: Asked, now: datetime) -> Outcome:
    event = Reminded(decision=state.decision, urgency=review.urgency, answer_by=review.review_by)
    return Outcome(state=replace(state, review=reminded(review, asked, now=now)), published=(event,))
