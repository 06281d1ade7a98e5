"""Events of triage and matching as the decisions of this service know them."""

from collections.abc import Iterable
from typing import Any

from services.notify.domain import events as domain
from shared import events
from shared.network import Network
from shared.telemetry import trace


def triage_events(facts: Iterable[events.Fact], network: Network) -> list[domain.TriageEvent]:
    """Those that concern anybody, in their order."""
    return [event for fact in facts if (event := _triage(fact, network)) is not None]


def matching_events(facts: Iterable[events.Fact], network: Network) -> list[domain.MatchingEvent]:
    return [event for fact in facts if (event := _matching(fact, network)) is not None]


def _triage(fact: events.Fact, network: Network) -> domain.TriageEvent | None:
    if not isinstance(fact, events.TriageFact):
        return None
    same = _same(fact, network) | {"express": fact.express, "decision": fact.decision}
    match fact:
        case events.ReferralTriaged():
            return domain.Triaged(
                **same,
                urgency=fact.urgency,
                respond_by=fact.respond_by,
                team=fact.team,
                in_review=fact.in_review,
                decided_by=fact.decided_by,
                restates=fact.restates,
                not_understood=frozenset(fact.not_understood),
            )
        case events.ReviewRequested():
            return domain.ReviewRequested(
                **same,
                urgency=fact.urgency,
                review_by=fact.review_by,
                team=fact.team,
                holds=fact.holds,
                asks_again=fact.asks_again,
                restates=fact.restates,
                not_understood=frozenset(fact.not_understood),
            )
        case events.InformationRequested():
            return domain.InformationRequested(
                **same, urgency=fact.urgency, answer_by=fact.answer_by, decided_by=fact.decided_by
            )
        case events.InformationReminded():
            return domain.InformationReminded(**same, urgency=fact.urgency, answer_by=fact.answer_by)
        case events.ReviewOverdue():
            return domain.ReviewOverdue(
                **same, urgency=fact.urgency, review_by=fact.review_by, unanswered=fact.unanswered
            )
        case events.ReferralReturned():
            return domain.Returned(**same, next_step_by=fact.next_step_by, decided_by=fact.decided_by)
        case events.TriageEnded():
            return domain.TriageEnded(**same)
    return None


def _matching(fact: events.Fact, network: Network) -> domain.MatchingEvent | None:
    if not isinstance(fact, events.MatchingFact):
        return None
    same = _same(fact, network) | {"urgency": fact.urgency}
    match fact:
        case events.MatchProposed():
            return domain.Proposed(**same, therapist=fact.therapist_id, expires_at=fact.expires_at)
        case events.MatchAccepted():
            return domain.Accepted(**same)
        case events.MatchDeclined():
            return domain.Declined(**same, therapist=fact.therapist_id, answered=fact.answered)
        case events.ReferralWaitlisted():
            return domain.Waitlisted(**same, try_again_by=fact.try_again_by)
        case events.AppointmentBooked():
            return domain.Booked(**same, starts_at=fact.starts_at)
        case events.ReferralClosed():
            return domain.Closed(**same, therapist=fact.therapist_id)
    return None


def _same(fact: events.ReferralFact, network: Network) -> dict[str, Any]:
    """A service that runs an older network file may still name the region in the sender's way."""
    return {
        "id": fact.event_id,
        "type": fact.type,
        "occurred_at": fact.occurred_at,
        "referral_id": fact.referral_id,
        "revision": fact.revision,
        "clinic": fact.clinic,
        "region": network.canonical("regions", fact.region),
        "traceparent": trace.cause_of(fact.referral_id),
    }
