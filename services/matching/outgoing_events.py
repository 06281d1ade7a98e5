"""What matching says: rows put into facts. No name of anybody is on them."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from services.matching.db.offers import Offer
from services.matching.db.referral_rows import Referral, Wait
from services.matching.db.therapists import Row
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


def caused(
    referrals: Mapping[UUID, Referral], news: Iterable[Fact], *, since: datetime
) -> AbstractContextManager[None]:
    """What is said of each belongs to the trace of the fact that brought it here."""
    said = {fact.referral_id: fact.type for fact in news if isinstance(fact, MatchingFact)}
    found = [(referrals[id_].traceparent, id_, type_) for id_, type_ in said.items()]
    origins = [trace.Origin(id_, traceparent, type_) for traceparent, id_, type_ in found if traceparent]
    return trace.steps("match", origins, since=since)


def _stamp(referral: Referral, now: datetime) -> Stamp:
    assert referral.urgency is not None
    return Stamp(
        event_id=new_id(),
        occurred_at=now,
        referral_id=referral.id,
        revision=referral.revision,
        region=referral.region,
        clinic=referral.clinic,
        urgency=referral.urgency,
    )


def proposed(referral: Referral, offer: Offer, *, now: datetime) -> MatchProposed:
    return MatchProposed(
        **_stamp(referral, now),
        offer_id=offer.id,
        therapist_id=offer.therapist_id,
        attempt=offer.attempt,
        expires_at=offer.expires_at,
        score=offer.score,
        criteria=tuple(CriterionScore(**criterion) for criterion in offer.criteria),
        eligible=offer.eligible,
        considered=offer.considered,
    )


def accepted(referral: Referral, offer: Offer, *, now: datetime) -> MatchAccepted:
    return MatchAccepted(**_stamp(referral, now), offer_id=offer.id, therapist_id=offer.therapist_id)


def declined(
    referral: Referral, offer: Offer, reason: str, *, now: datetime, answered: bool = True
) -> MatchDeclined:
    return MatchDeclined(
        **_stamp(referral, now),
        offer_id=offer.id,
        therapist_id=offer.therapist_id,
        reason=reason,
        answered=answered,
    )


def waitlisted(referral: Referral, wait: Wait, *, now: datetime, try_at: datetime) -> ReferralWaitlisted:
    said: dict[str, Any] = {"reason": wait.reason}
    return ReferralWaitlisted(
        **_stamp(referral, now),
        **said,
        eligible=wait.eligible,
        relaxations=tuple(Relaxation(**relaxation) for relaxation in wait.relaxations),
        try_again_by=try_at,
    )


def booked(
    referral: Referral, therapist_id: UUID, starts_at: datetime, *, now: datetime
) -> AppointmentBooked:
    return AppointmentBooked(**_stamp(referral, now), therapist_id=therapist_id, starts_at=starts_at)


def closed(referral: Referral, reason: str, held: Offer | None, *, now: datetime) -> ReferralClosed:
    therapist = held.therapist_id if held else None
    return ReferralClosed(**_stamp(referral, now), reason=reason, therapist_id=therapist)


def therapist_changed(row: Row, *, now: datetime) -> TherapistChanged:
    return TherapistChanged(
        event_id=new_id(),
        occurred_at=now,
        region=row.entry["region"],
        therapist_id=row.id,
        version=row.version,
        active=row.entry["active"],
        places_total=row.places_total,
        places_taken=row.places_taken,
    )
