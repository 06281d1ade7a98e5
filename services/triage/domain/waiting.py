"""Whoever waits for a therapist longer than the policy allows is looked at again by a clinician, and the
referrer is asked to measure again. That nothing changed is no reason to forget anybody.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from services.triage.domain.basis import Basis
from services.triage.domain.policy import Policy
from services.triage.domain.review import look_by
from services.triage.domain.rules_decision import Outcome, stamp
from services.triage.domain.state import Review, Standing
from shared.events import FiredRule, MatchingFact, ReviewRequested
from shared.vocabulary import Urgency

CLOSED_BY_TRIAGE: Final = "returned"
"""Matching's reason when it closed only because triage had returned; triaged again, it waits again."""


def since(policy: Policy, *, now: datetime) -> Mapping[Urgency, datetime]:
    """Who has waited since then or longer is looked at again."""
    return {urgency: now - rule.after for urgency, rule in policy.waiting.items()}


def ask_again(standing: Standing, policy: Policy, *, now: datetime) -> Outcome:
    """Nothing while a clinician is to look anyway, or a therapist has taken the person on."""
    urgency, began = standing.urgency, standing.waiting_since
    if urgency is None or began is None or standing.state != "triaged" or standing.taken_on:
        return Outcome(standing, ())
    if standing.review is not None or now < began + policy.waiting[urgency].after:
        return Outcome(standing, ())
    rule = policy.waiting[urgency]
    by = look_by(urgency, policy, now)
    reason = FiredRule(rule=rule.id, datum=f"waiting since {began:%Y-%m-%d}", text=rule.text)
    review = Review(urgency=urgency, review_by=by, holds=False, reasons=(reason,), opened_at=now, due_at=by)
    asked = replace(standing, review=review, waiting_since=now, decision=standing.decision + 1)
    fact = ReviewRequested(
        **stamp(asked, now), reasons=review.reasons, urgency=urgency, review_by=by, asks_again=True
    )
    basis = Basis(policy=policy.name, version=policy.version, rules=(rule.id,))
    return Outcome(asked, (fact,), basis)


def taken_on(fact: MatchingFact) -> bool | None:
    """Whether a therapist has taken the person on, or care has ended; None where nothing changed."""
    match fact.type:
        case "MatchAccepted" | "AppointmentBooked":
            return True
        case "MatchDeclined" | "ReferralWaitlisted":
            return False
        case "ReferralClosed":
            return None if getattr(fact, "reason", "") == CLOSED_BY_TRIAGE else True
    return None
