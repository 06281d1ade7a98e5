"""Verdicts as events. They hold nobody's name."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from services.matching.domain import round_decision, triage_decision
from services.matching.domain.offers import Offer, OfferOutcome
from services.matching.domain.referrals import Referral, TriagedReferral, WaitlistEntry
from services.matching.domain.therapist_entry import StoredTherapist
from shared.events import (
    AppointmentBooked,
    CriterionScore,
    Fact,
    MatchAccepted,
    MatchDeclined,
    MatchingFact,
    MatchProposed,
    ReferralClosed,
    ReferralWaitlisted,
    Relaxation,
    TherapistChanged,
)
from shared.ids import new_id
from shared.telemetry import trace
from shared.vocabulary import Urgency


class Stamp(TypedDict):
    event_id: UUID
    occurred_at: datetime
    referral_id: UUID
    revision: int
    region: str
    clinic: str
    urgency: Urgency


def _stamp(referral: TriagedReferral, now: datetime) -> Stamp:
    return Stamp(
        event_id=new_id(),
        occurred_at=now,
        referral_id=referral.id,
        revision=referral.revision,
        region=referral.region,
        clinic=referral.clinic,
        urgency=referral.urgency,
    )


def in_their_traces(
    referrals: Mapping[UUID, Referral], events: Iterable[Fact], *, since: datetime
) -> AbstractContextManager[None]:
    """Each event belongs to the trace of the event that brought its referral here."""
    types = {event.referral_id: event.type for event in events if isinstance(event, MatchingFact)}
    found = [(referrals[id_].traceparent, id_, type_) for id_, type_ in types.items()]
    origins = [trace.Origin(id_, traceparent, type_) for traceparent, id_, type_ in found if traceparent]
    return trace.steps("match", origins, since=since)


def of_triage(verdict: triage_decision.Verdict, *, now: datetime) -> list[Fact]:
    return [_of_triage(each, now) for each in verdict.publish]


def _of_triage(due: triage_decision.OfferWithdrawn | triage_decision.MatchingClosed, now: datetime) -> Fact:
    match due:
        case triage_decision.OfferWithdrawn(referral, offer, reason):
            return declined(referral, offer, reason, now=now, answered=False)
        case triage_decision.MatchingClosed(referral, reason, offer):
            return closed(referral, reason, offer, now=now)


def of_round(
    verdict: round_decision.Verdict, referrals: Mapping[UUID, TriagedReferral], *, now: datetime
) -> list[Fact]:
    offers = [proposed(referrals[offer.referral_id], offer, now=now) for offer in verdict.offers]
    nobody_yet = [
        waitlisted(referrals[row.id], row, now=now, try_at=verdict.try_at) for row in verdict.explained
    ]
    return [*offers, *nobody_yet]


def of_expiry(
    outcomes: Iterable[OfferOutcome], referrals: Mapping[UUID, TriagedReferral], *, now: datetime
) -> list[Fact]:
    return [
        declined(
            referrals[outcome.offer.referral_id],
            outcome.offer,
            outcome.reason or outcome.state,
            now=now,
            answered=False,
        )
        for outcome in outcomes
    ]


def proposed(referral: TriagedReferral, offer: Offer, *, now: datetime) -> MatchProposed:
    return MatchProposed(
        **_stamp(referral, now),
        offer_id=offer.id,
        therapist_id=offer.therapist_id,
        attempt=offer.attempt,
        expires_at=offer.expires_at,
        score=offer.score,
        criteria=tuple(
            CriterionScore(criterion=each.criterion, score=each.score, weight=each.weight)
            for each in offer.criteria
        ),
        eligible=offer.eligible,
        considered=offer.considered,
    )


def accepted(referral: TriagedReferral, offer: Offer, *, now: datetime) -> MatchAccepted:
    return MatchAccepted(**_stamp(referral, now), offer_id=offer.id, therapist_id=offer.therapist_id)


def declined(
    referral: TriagedReferral, offer: Offer, reason: str, *, now: datetime, answered: bool = True
) -> MatchDeclined:
    return MatchDeclined(
        **_stamp(referral, now),
        offer_id=offer.id,
        therapist_id=offer.therapist_id,
        reason=reason,
        answered=answered,
    )


def waitlisted(
    referral: TriagedReferral, row: WaitlistEntry, *, now: datetime, try_at: datetime
) -> ReferralWaitlisted:
    return ReferralWaitlisted.model_validate(
        {
            **_stamp(referral, now),
            "reason": row.reason,
            "eligible": row.eligible,
            "relaxations": tuple(Relaxation(limit=each.limit, opens=each.opens) for each in row.relaxations),
            "try_again_by": try_at,
        }
    )


def booked(
    referral: TriagedReferral, therapist_id: UUID, starts_at: datetime, *, now: datetime
) -> AppointmentBooked:
    return AppointmentBooked(**_stamp(referral, now), therapist_id=therapist_id, starts_at=starts_at)


def closed(referral: TriagedReferral, reason: str, held: Offer | None, *, now: datetime) -> ReferralClosed:
    therapist = held.therapist_id if held else None
    return ReferralClosed(**_stamp(referral, now), reason=reason, therapist_id=therapist)


def therapist_changed(therapist: StoredTherapist, *, now: datetime) -> TherapistChanged:
    return TherapistChanged(
        event_id=new_id(),
        occurred_at=now,
        region=therapist.entry.region,
        therapist_id=therapist.id,
        version=therapist.version,
        active=therapist.entry.active,
        places_total=therapist.entry.places_total,
        places_taken=therapist.places_taken,
    )
