"""Whoever waits for a therapist longer than the policy allows is looked at again by a clinician, and the
referrer is asked to measure again. That nothing changed is no reason to forget anybody.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from services.triage.domain.basis import Basis
from services.triage.domain.outcome import Outcome, ReviewNeeded
from services.triage.domain.policy import Policy
from services.triage.domain.reasons import Reason
from services.triage.domain.review import look_by
from services.triage.domain.state import Review, TriageState
from shared.vocabulary import CLOSED_BY_TRIAGE, Urgency


def since(policy: Policy, *, now: datetime) -> Mapping[Urgency, datetime]:
    """Who has waited since then or longer is looked at again."""
    return {urgency: now - rule.after for urgency, rule in policy.waiting.items()}


def ask_again(state: TriageState, policy: Policy, *, now: datetime) -> Outcome:
    """Nothing while a clinician is to look anyway, or a therapist has taken the person on."""
    urgency, began = state.urgency, state.waiting_since
    if urgency is None or began is None or state.status != "triaged" or state.taken_on:
        return Outcome(state=state)
    if state.review is not None or now < began + policy.waiting[urgency].after:
        return Outcome(state=state)
    rule = policy.waiting[urgency]
    by = look_by(urgency, policy, now)
    reason = Reason(rule=rule.id, datum=f"waiting since {began:%Y-%m-%d}", text=rule.text)
    review = Review(urgency=urgency, review_by=by, holds=False, reasons=(reason,), opened_at=now, due_at=by)
    asked = replace(state, review=review, waiting_since=now, decision=state.decision + 1)
    event = ReviewNeeded(
        decision=asked.decision, urgency=urgency, review_by=by, reasons=review.reasons, asks_again=True
    )
    basis = Basis(policy=policy.name, version=policy.version, rules=(rule.id,))
    return Outcome(state=asked, published=(event,), basis=basis)


def taken_on(event_type: str, *, reason: str | None) -> bool | None:
    """By an event of matching: whether a therapist has taken the person on, or care has ended; None where it
    changes neither."""
    match event_type:
        case "MatchAccepted" | "AppointmentBooked":
            return True
        case "MatchDeclined" | "ReferralWaitlisted":
            return False
        case "ReferralClosed":
            return None if reason == CLOSED_BY_TRIAGE else True
    return None
