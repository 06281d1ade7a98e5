"""What a response to an offer leads to. Each may be sent twice: then there is nothing more to do."""

from collections.abc import Sequence
from datetime import datetime

from services.matching.domain.offer_rules import EXPIRED, THERAPIST_LEFT, Closure, Decline
from services.matching.domain.offers import Offer, OfferOutcome, OfferState, end
from services.matching.domain.referrals import Referral
from services.matching.domain.state import State


class Refused(Exception):
    """The response cannot be acted on."""


class Unknown(Refused):
    """There is no such offer or referral, or the caller may not see it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class OfferNotOpen(Refused):
    def __init__(self, state: OfferState) -> None:
        super().__init__(state)
        self.state = state


class NotAccepted(Refused):
    """An appointment needs an accepted offer."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.state = state


def accept(offer: Offer) -> OfferOutcome | None:
    """None when it has been accepted already."""
    if offer.state in (OfferState.ACCEPTED, OfferState.ENDED):
        return None
    if offer.state is not OfferState.OPEN:
        raise OfferNotOpen(offer.state)
    return OfferOutcome(offer=offer, state=OfferState.ACCEPTED)


def decline(offer: Offer, reason: Decline) -> OfferOutcome | None:
    """Also after acceptance. None when it has been declined already."""
    if offer.state is OfferState.DECLINED:
        return None
    if not offer.holds_a_place:
        raise OfferNotOpen(offer.state)
    return OfferOutcome(offer=offer, state=OfferState.DECLINED, reason=reason)


def book(referral: Referral, starts_at: datetime) -> bool:
    """Whether this is a new appointment; the same time again is the same appointment."""
    if referral.state not in (State.ACCEPTED, State.BOOKED):
        raise NotAccepted(referral.state)
    return referral.appointment_at != starts_at


def close(held: Sequence[Offer], reason: Closure) -> list[OfferOutcome]:
    return [end(offer, reason) for offer in held]


def expire(offers: Sequence[Offer]) -> list[OfferOutcome]:
    """Open offers past their time, or of a therapist who left."""
    return [
        OfferOutcome(
            offer=offer,
            state=OfferState.EXPIRED,
            reason=EXPIRED if offer.therapist_active else THERAPIST_LEFT,
        )
        for offer in offers
    ]
