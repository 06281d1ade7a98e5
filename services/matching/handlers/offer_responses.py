"""What people answer: an offer accepted or declined, an appointment, the end of care; and silence.

Each is safe to send twice. The referral's row is locked first, so that two answers cannot both count.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.matching import outgoing_events
from services.matching.db import offers, places
from services.matching.db import referrals as waitlist_store
from services.matching.db.offers import Answer, Offer
from services.matching.db.referral_rows import Referral
from services.matching.domain.offer_rules import EXPIRED, THERAPIST_LEFT, Closure, Decline
from services.matching.domain.state import By, State
from shared.db import outbox
from shared.db.postgres import Connection, clock
from shared.web.auth import Caller
from shared.web.problems import Problem, not_found


async def accept(connection: Connection, offer_id: UUID, caller: Caller) -> Offer:
    offer, referral = await _locked_offer(connection, offer_id, caller)
    if offer.state in ("accepted", "ended"):
        return offer
    if offer.state != "open":
        raise _not_open(offer)
    at = await clock(connection)
    await _answer(connection, [Answer(offer=offer, state="accepted")], at, caller)
    await waitlist_store.set_state(connection, referral.id, State.ACCEPTED)
    await outbox.publish(connection, [outgoing_events.accepted(referral, offer, now=at)])
    return await _again(connection, offer)


async def decline(connection: Connection, offer_id: UUID, reason: Decline, caller: Caller) -> Offer:
    """Also after acceptance: the client is offered the next best, and this one is not asked again."""
    offer, referral = await _locked_offer(connection, offer_id, caller)
    if offer.state == "declined":
        return offer
    if not offer.holds_a_place:
        raise _not_open(offer)
    at = await clock(connection)
    await _answer(connection, [Answer(offer=offer, state="declined", reason=reason)], at, caller)
    await places.give_back(connection, [offer.therapist_id])
    await waitlist_store.wait_again(connection, [(referral.id, offer.therapist_id)], now=at)
    await outbox.publish(connection, [outgoing_events.declined(referral, offer, reason, now=at)])
    return await _again(connection, offer)


async def book(connection: Connection, referral_id: UUID, starts_at: datetime, caller: Caller) -> Referral:
    """A new time for one already booked is a new appointment; the same time is the same."""
    referral = await _locked_referral(connection, referral_id, caller)
    if referral.state not in (State.ACCEPTED, State.BOOKED):
        raise Problem(
            409,
            "not_accepted",
            f"An appointment needs an accepted offer; this referral is {referral.state} now.",
        )
    if referral.appointment_at == starts_at:
        return referral
    at = await clock(connection)
    (offer,) = await offers.holding(connection, [referral_id])
    await waitlist_store.set_state(connection, referral_id, State.BOOKED, appointment_at=starts_at)
    await outbox.publish(
        connection, [outgoing_events.booked(referral, offer.therapist_id, starts_at, now=at)]
    )
    return await _referral(connection, referral_id)


async def close(connection: Connection, referral_id: UUID, reason: Closure, caller: Caller) -> Referral:
    """Frees the place. What is closed already stays as it was closed."""
    referral = await _locked_referral(connection, referral_id, caller)
    if referral.state is State.CLOSED:
        return referral
    at = await clock(connection)
    held = await offers.holding(connection, [referral_id])
    ends = [
        Answer(offer=o, state="ended" if o.state == "accepted" else "released", reason=reason) for o in held
    ]
    await _answer(connection, ends, at, caller)
    await places.give_back(connection, [offer.therapist_id for offer in held])
    await waitlist_store.set_state(connection, referral_id, State.CLOSED, closed_by=By.CARE, reason=reason)
    await outbox.publish(
        connection, [outgoing_events.closed(referral, reason, next(iter(held), None), now=at)]
    )
    return await _referral(connection, referral_id)


async def silence(connection: Connection, *, limit: int) -> int:
    """Open offers past their time, or of a therapist who left: the place is free, the client is next."""
    ran_out = await offers.run_out(connection, now=await clock(connection), limit=limit)
    if not ran_out:
        return 0
    at = await clock(connection)
    answers = [
        Answer(offer=offer, state="expired", reason=EXPIRED if offer.active else THERAPIST_LEFT)
        for offer in ran_out
    ]
    referrals = await waitlist_store.load(connection, [offer.referral_id for offer in ran_out])
    await offers.answer(connection, answers, now=at)
    await places.give_back(connection, [offer.therapist_id for offer in ran_out])
    pairs = [(offer.referral_id, offer.therapist_id) for offer in ran_out]
    await waitlist_store.wait_again(connection, pairs, now=at)
    news = [
        outgoing_events.declined(
            referrals[a.offer.referral_id], a.offer, a.reason or EXPIRED, now=at, answered=False
        )
        for a in answers
    ]
    with outgoing_events.caused(referrals, news, since=at):
        await outbox.publish(connection, news)
    return len(ran_out)


async def _answer(connection: Connection, answers: Sequence[Answer], at: datetime, caller: Caller) -> None:
    await offers.answer(connection, answers, now=at, by=caller.subject)


async def _locked_offer(connection: Connection, offer_id: UUID, caller: Caller) -> tuple[Offer, Referral]:
    offer = await offers.read(connection, offer_id)
    if offer is None:
        raise not_found("offer")
    referral = (await waitlist_store.load(connection, [offer.referral_id]))[offer.referral_id]
    if not _may_see(referral, caller):
        raise not_found("offer")
    return await _again(connection, offer), referral


async def _again(connection: Connection, offer: Offer) -> Offer:
    found = await offers.read(connection, offer.id)
    assert found is not None
    return found


async def _locked_referral(connection: Connection, referral_id: UUID, caller: Caller) -> Referral:
    referral = (await waitlist_store.load(connection, [referral_id])).get(referral_id)
    if referral is None or referral.urgency is None or not _may_see(referral, caller):
        raise not_found("referral")
    return referral


async def _referral(connection: Connection, referral_id: UUID) -> Referral:
    found = await waitlist_store.read(connection, referral_id)
    assert found is not None
    return found


def _may_see(referral: Referral, caller: Caller) -> bool:
    return caller.clinic is None or referral.clinic == caller.clinic


def _not_open(offer: Offer) -> Problem:
    return Problem(
        409,
        "offer_not_open",
        f"This offer is no longer open: it is {offer.state}. The client's next offer is under "
        f"GET /v1/offers?referral_id=.",
    )
