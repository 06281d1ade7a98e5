"""Responses to offers: what each leads to, that it may be sent twice, and what is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.matching.domain.offer_rules import Closure, Decline
from services.matching.domain.offers import OfferState
from services.matching.domain.responses import NotAccepted, OfferNotOpen, accept, book, close, decline, expire
from services.matching.domain.state import State
from tests.unit.matching.test_triage_decision import NOW, OFFERED, OPEN

CLOSED_OFFERS = {OfferState.DECLINED, OfferState.EXPIRED, OfferState.RELEASED, OfferState.ENDED}


@pytest.mark.parametrize("state", OfferState)
def test_accept(state: OfferState) -> None:
    offer = replace(OPEN, state=state)
    if state in (OfferState.ACCEPTED, OfferState.ENDED):
        assert accept(offer) is None
    elif state is OfferState.OPEN:
        outcome = accept(offer)
        assert outcome and outcome.offer_at(NOW) == replace(offer, state=OfferState.ACCEPTED, answered_at=NOW)
    else:
        with pytest.raises(OfferNotOpen) as refused:
            accept(offer)
        assert refused.value.state is state


@pytest.mark.parametrize("state", OfferState)
def test_decline(state: OfferState) -> None:
    offer = replace(OPEN, state=state)
    if state is OfferState.DECLINED:
        assert decline(offer, Decline.OTHER) is None
    elif state in CLOSED_OFFERS:
        with pytest.raises(OfferNotOpen):
            decline(offer, Decline.OTHER)
    else:
        outcome = decline(offer, Decline.OTHER)
        assert outcome and (outcome.state, outcome.reason) == (OfferState.DECLINED, "other")


@pytest.mark.parametrize("state", State)
def test_an_appointment_needs_an_accepted_offer(state: State) -> None:
    referral = replace(OFFERED, state=state, appointment_at=NOW)
    if state in (State.ACCEPTED, State.BOOKED):
        assert not book(referral, NOW)
        assert book(referral, NOW + timedelta(hours=1))
    else:
        with pytest.raises(NotAccepted):
            book(referral, NOW)


def test_the_end_of_care_ends_what_was_accepted_and_releases_what_was_open() -> None:
    outcomes = close([OPEN, replace(OPEN, state=OfferState.ACCEPTED)], Closure.COMPLETED)
    assert [each.state for each in outcomes] == [OfferState.RELEASED, OfferState.ENDED]


def test_an_offer_expires_by_time_or_with_its_therapist() -> None:
    outcomes = expire([OPEN, replace(OPEN, therapist_active=False)])
    assert [each.reason for each in outcomes] == ["expired", "therapist_inactive"]
