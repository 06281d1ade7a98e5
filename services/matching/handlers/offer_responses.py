"""Responses to offers, and what follows from them: accept, decline, book, close.

Each is safe to send twice. The referral's row is locked first, so that of two responses one counts.
"""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from services.matching import outgoing_events
from services.matching.db import offers, places, referrals
from services.matching.domain import responses
from services.matching.domain.offer_rules import Closure, Decline
from services.matching.domain.offers import Offer
from services.matching.domain.referrals import Referral, TriagedReferral
from services.matching.domain.state import ClosedBy, State
from shared.db import outbox
from shared.db.postgres import Connection, clock
from shared.web.auth import Caller


async def accept(connection: Connection, offer_id: UUID, caller: Caller) -> Offer:
    offer, referral = await _locked_offer(connection, offer_id, caller)
    outcome = responses.accept(offer)
    if outcome is None:
        return offer
    now = await clock(connection)
    await offers.save_outcomes(connection, [outcome], now=now, by=caller.subject)
    await referrals.set_state(connection, replace(referral, state=State.ACCEPTED))
    await outbox.publish(connection, [outgoing_events.accepted(referral, offer, now=now)])
    return outcome.offer_at(now)


async def decline(connection: Connection, offer_id: UUID, reason: Decline, caller: Caller) -> Offer:
    """Also after acceptance: the client is matched anew, without this therapist."""
    offer, referral = await _locked_offer(connection, offer_id, caller)
    outcome = responses.decline(offer, reason)
    if outcome is None:
        return offer
    now = await clock(connection)
    await offers.save_outcomes(connection, [outcome], now=now, by=caller.subject)
    await places.give_back(connection, [offer.therapist_id])
    await referrals.match_anew(connection, [outcome], now=now)
    await outbox.publish(connection, [outgoing_events.declined(referral, offer, reason, now=now)])
    return outcome.offer_at(now)


async def book(
    connection: Connection, referral_id: UUID, starts_at: datetime, caller: Caller
) -> TriagedReferral:
    """A new time for an appointment is a new appointment."""
    referral = await _locked_referral(connection, referral_id, caller)
    if not responses.book(referral, starts_at):
        return referral
    now = await clock(connection)
    (offer,) = await offers.holding(connection, [referral_id])
    booked = replace(referral, state=State.BOOKED, appointment_at=starts_at.astimezone(UTC))
    await referrals.set_state(connection, booked)
    await outbox.publish(
        connection, [outgoing_events.booked(referral, offer.therapist_id, starts_at, now=now)]
    )
    return booked


async def close(
    connection: Connection, referral_id: UUID, reason: Closure, caller: Caller
) -> TriagedReferral:
    """Frees the place. What is closed already stays as it was closed."""
    referral = await _locked_referral(connection, referral_id, caller)
    if referral.state is State.CLOSED:
        return referral
    now = await clock(connection)
    held = await offers.holding(connection, [referral_id])
    closed = replace(referral, state=State.CLOSED, closed_by=ClosedBy.CARE, closed_reason=reason)
    await offers.save_outcomes(connection, responses.close(held, reason), now=now, by=caller.subject)
    await places.give_back(connection, [offer.therapist_id for offer in held])
    await referrals.set_state(connection, closed)
    await outbox.publish(
        connection, [outgoing_events.closed(referral, reason, next(iter(held), None), now=now)]
    )
    return closed


async def _locked_offer(
    connection: Connection, offer_id: UUID, caller: Caller
) -> tuple[Offer, TriagedReferral]:
    """The offer is read again once its referral is locked: another response may have come first."""
    offer = await _offer(connection, offer_id)
    referral = (await referrals.load(connection, [offer.referral_id]))[offer.referral_id]
    if not isinstance(referral, TriagedReferral) or not _may_see(referral, caller):
        raise responses.Unknown("offer")
    return await _offer(connection, offer_id), referral


async def _offer(connection: Connection, offer_id: UUID) -> Offer:
    offer = await offers.read(connection, offer_id)
    if offer is None:
        raise responses.Unknown("offer")
    return offer


async def _locked_referral(connection: Connection, referral_id: UUID, caller: Caller) -> TriagedReferral:
    referral = (await referrals.load(connection, [referral_id])).get(referral_id)
    if not isinstance(referral, TriagedReferral) or not _may_see(referral, caller):
        raise responses.Unknown("referral")
    return referral


def _may_see(referral: Referral, caller: Caller) -> bool:
    return caller.clinic is None or referral.clinic == caller.clinic
