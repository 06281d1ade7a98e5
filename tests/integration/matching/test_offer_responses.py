"""Responses to offers, and expiry: accepted, declined, expired, booked, closed; each safe to send twice."""

import asyncio
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self
from uuid import UUID

import pytest

from services.matching.api.refusals import problem_of
from services.matching.domain.offer_rules import Closure, Decline
from services.matching.domain.offers import Offer
from services.matching.domain.responses import NotAccepted, OfferNotOpen, Unknown
from services.matching.domain.state import ClosedBy, State
from services.matching.handlers import offer_responses
from shared import ids
from shared.db.postgres import transaction
from shared.events import (
    AppointmentBooked,
    MatchAccepted,
    MatchDeclined,
    MatchProposed,
    ReferralClosed,
    Wish,
)
from shared.vocabulary import Urgency
from shared.web.auth import Caller, Role
from tests.integration.matching.stage import COORDINATOR, WAITS_FOR_A_LOCK, Stage, entry, held, triaged
from tests.support import eventually

TUESDAY = datetime(2026, 3, 3, 17, tzinfo=UTC)


async def offered(stage: Stage, *roster: UUID, urgency: Urgency = Urgency.ROUTINE) -> Offer:
    """A client with an open offer; a therapist is added if there is none."""
    if not roster:
        await stage.roster(entry())
    fact = triaged(urgency=urgency)
    await stage.receive(fact)
    await stage.settle()
    return await stage.open_offer(fact.referral_id)


async def book(stage: Stage, offer: Offer, at: datetime) -> None:
    async with transaction(stage.pool) as connection:
        await offer_responses.book(connection, offer.referral_id, at, COORDINATOR)


async def close(stage: Stage, offer: Offer, reason: Closure = Closure.COMPLETED) -> None:
    async with transaction(stage.pool) as connection:
        await offer_responses.close(connection, offer.referral_id, reason, COORDINATOR)


async def test_an_offer_accepted_twice_is_accepted_once(stage: Stage) -> None:
    offer = await offered(stage)
    first, second = await stage.accept(offer), await stage.accept(offer)
    assert first == second
    assert (first.state, first.answered_at is not None) == ("accepted", True)
    (event,) = await stage.published(MatchAccepted)
    assert (event.offer_id, event.therapist_id) == (offer.id, offer.therapist_id)
    assert (await stage.referral(offer.referral_id)).state is State.ACCEPTED
    await stage.assert_places_add_up()


async def test_of_acceptance_and_decline_at_once_one_counts(stage: Stage) -> None:
    offer = await offered(stage)
    results = await asyncio.gather(
        *(stage.accept(offer) for _ in range(5)),
        *(stage.decline(offer) for _ in range(5)),
        return_exceptions=True,
    )
    assert all(isinstance(r, Offer | OfferNotOpen) for r in results)
    accepted, declined = await stage.published(MatchAccepted), await stage.published(MatchDeclined)
    assert len(accepted) <= 1 and len(declined) == 1  # a decline also undoes an acceptance
    await stage.assert_places_add_up()


async def test_declined_goes_to_the_next_best_and_never_back(stage: Stage) -> None:
    woman = Wish(criterion="therapist_gender", values=("woman",))
    best, next_best = await stage.roster(entry(genders=["woman"], places_total=3), entry())
    fact = triaged(wishes=(woman,))
    await stage.receive(fact)
    await stage.settle()
    first = await stage.open_offer(fact.referral_id)
    assert first.therapist_id == best
    assert (await stage.decline(first, Decline.NOT_MY_SCOPE)).state == "declined"
    await stage.settle()
    second = await stage.open_offer(fact.referral_id)
    assert (second.therapist_id, second.attempt) == (next_best, 2)
    await stage.decline(second)
    await stage.settle()
    row = await stage.referral(fact.referral_id)
    assert (row.state, row.reason, row.eligible) == (State.WAITING, "no_eligible_therapist", 0)
    assert [f.reason for f in await stage.published(MatchDeclined)] == ["not_my_scope", "no_availability"]
    await stage.assert_places_add_up()


async def test_a_decline_sent_twice_counts_once(stage: Stage) -> None:
    offer = await offered(stage)
    assert await stage.decline(offer) == await stage.decline(offer)
    assert len(await stage.published(MatchDeclined)) == 1
    await stage.assert_places_add_up()


async def test_the_place_declined_goes_to_who_waits(stage: Stage) -> None:
    offer = await offered(stage)
    waiting = triaged()
    await stage.receive(waiting)
    await stage.settle()
    assert (await stage.referral(waiting.referral_id)).reason == "no_place"
    await stage.decline(offer)
    await stage.settle()
    assert (await stage.open_offer(waiting.referral_id)).therapist_id == offer.therapist_id


async def test_an_accepted_match_that_fails_is_matched_anew(stage: Stage) -> None:
    first, second = await stage.roster(entry(), entry())
    offer = await offered(stage, first, second)
    await stage.accept(offer)
    await book(stage, offer, TUESDAY)
    await stage.decline(offer, Decline.CLIENT_DECLINED)
    row = await stage.referral(offer.referral_id)
    assert (row.state, row.appointment_at) == (State.WAITING, None)
    await stage.settle()
    again = await stage.open_offer(offer.referral_id)
    assert {offer.therapist_id, again.therapist_id} == {first, second}
    await stage.assert_places_add_up()


async def test_an_expired_offer_moves_on(stage: Stage) -> None:
    stage.matcher.hours = dict.fromkeys(Urgency, 0.0)  # no time to answer
    first, second = await stage.roster(entry(), entry())
    offer = await offered(stage, first, second)
    stage.matcher.hours = stage.hours
    assert await stage.expire() == 1
    assert await stage.expire() == 0
    await stage.settle()
    again = await stage.open_offer(offer.referral_id)
    assert {offer.therapist_id, again.therapist_id} == {first, second}
    (event,) = await stage.published(MatchDeclined)
    assert (event.offer_id, event.reason, event.answered) == (offer.id, "expired", False)
    await stage.assert_places_add_up()


async def test_what_still_has_time_does_not_expire(stage: Stage) -> None:
    offer = await offered(stage)
    assert await stage.expire() == 0
    assert (await stage.open_offer(offer.referral_id)).id == offer.id


async def test_an_expired_offer_cannot_be_accepted(stage: Stage) -> None:
    stage.matcher.hours = dict.fromkeys(Urgency, 0.0)
    offer = await offered(stage)
    await stage.expire()
    with pytest.raises(OfferNotOpen) as refused:
        await stage.accept(offer)
    problem = problem_of(refused.value)
    assert (problem.status, problem.code) == (409, "offer_not_open")


async def test_expiry_does_not_undo_an_acceptance_under_way(stage: Stage) -> None:
    """The acceptance has been written and not yet committed when the clock runs out."""
    stage.matcher.hours = dict.fromkeys(Urgency, 0.0)
    offer = await offered(stage)
    async with transaction(stage.pool) as accepting:
        await offer_responses.accept(accepting, offer.id, COORDINATOR)
        expiry = asyncio.create_task(stage.expire())

        async def settled() -> bool:
            return expiry.done() or bool(await stage.pool.fetchval(WAITS_FOR_A_LOCK))

        await eventually(settled, what="looking for expired offers")
    assert await expiry == 0
    assert (await stage.offers(offer.referral_id))[0].state == "accepted"
    assert await stage.published(MatchDeclined) == []
    await stage.assert_places_add_up()


async def test_when_a_therapist_leaves_open_offers_move_on(stage: Stage) -> None:
    leaving, staying = await stage.roster(entry(), entry(places_total=0))
    offer = await offered(stage, leaving, staying)
    await stage.keep({leaving: entry(active=False), staying: entry(places_total=1)})
    assert await stage.expire() == 1
    await stage.settle()
    assert (await stage.open_offer(offer.referral_id)).therapist_id == staying
    assert [f.reason for f in await stage.published(MatchDeclined)] == ["therapist_inactive"]


async def test_a_hold_that_came_meanwhile_counts_after_a_decline(stage: Stage) -> None:
    first, second = await stage.roster(entry(), entry())
    offer = await offered(stage, first, second)
    await stage.receive(held(offer.referral_id))
    assert (await stage.open_offer(offer.referral_id)).id == offer.id
    await stage.decline(offer)
    await stage.settle()
    assert (await stage.referral(offer.referral_id)).state is State.HELD
    assert len(await stage.published(MatchProposed)) == 1


async def test_an_appointment_and_its_new_time(stage: Stage) -> None:
    offer = await offered(stage)
    await stage.accept(offer)
    for at in (TUESDAY, TUESDAY, TUESDAY + timedelta(days=1)):
        await book(stage, offer, at)
    assert [f.starts_at for f in await stage.published(AppointmentBooked)] == [
        TUESDAY,
        TUESDAY + timedelta(days=1),
    ]
    row = await stage.referral(offer.referral_id)
    assert (row.state, row.appointment_at) == (State.BOOKED, TUESDAY + timedelta(days=1))


async def test_no_appointment_before_acceptance(stage: Stage) -> None:
    offer = await offered(stage)
    with pytest.raises(NotAccepted) as refused:
        await book(stage, offer, TUESDAY)
    problem = problem_of(refused.value)
    assert (problem.status, problem.code) == (409, "not_accepted")


async def test_the_end_of_care_frees_the_place_once(stage: Stage) -> None:
    offer = await offered(stage)
    await stage.accept(offer)
    waiting = triaged()
    await stage.receive(waiting)
    await stage.settle()
    await close(stage, offer)
    await close(stage, offer, Closure.NO_SHOW)
    row = await stage.referral(offer.referral_id)
    assert (row.state, row.closed_by, row.closed_reason) == (State.CLOSED, ClosedBy.CARE, "completed")
    events = await stage.published(ReferralClosed)
    assert [(f.reason, f.therapist_id) for f in events] == [("completed", offer.therapist_id)]
    await stage.settle()
    assert (await stage.open_offer(waiting.referral_id)).therapist_id == offer.therapist_id
    await stage.assert_places_add_up()


async def test_what_care_closed_stays_closed_whatever_triage_says(stage: Stage) -> None:
    offer = await offered(stage)
    await close(stage, offer)
    await stage.receive(triaged(offer.referral_id, revision=2, decision=2))
    await stage.settle()
    assert (await stage.referral(offer.referral_id)).state is State.CLOSED
    assert len(await stage.published(MatchProposed)) == 1


async def test_a_clinic_answers_for_its_own_only(stage: Stage) -> None:
    offer = await offered(stage)
    own = Caller("desk", Role.CLINIC, "clinic-1")
    other = Caller("desk", Role.CLINIC, "clinic-2")
    async with transaction(stage.pool) as connection:
        for action in (
            offer_responses.accept(connection, offer.id, other),
            offer_responses.decline(connection, offer.id, Decline.OTHER, other),
            offer_responses.book(connection, offer.referral_id, TUESDAY, other),
            offer_responses.close(connection, offer.referral_id, Closure.OTHER, other),
        ):
            with pytest.raises(Unknown) as refused:
                await action
            assert problem_of(refused.value).status == 404
        assert (await offer_responses.accept(connection, offer.id, own)).state == "accepted"


class OnAnotherHost(datetime):
    """Whose clock is five minutes fast."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp((datetime.now(UTC) + timedelta(minutes=5)).timestamp(), tz)


async def test_what_replicas_say_keeps_its_order_though_their_clocks_differ(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as other_host:
        other_host.setattr(ids, "datetime", OnAnotherHost)
        offer = await offered(stage)
    await stage.accept(offer)
    (proposed,), (accepted,) = await stage.published(MatchProposed), await stage.published(MatchAccepted)
    assert proposed.occurred_at < accepted.occurred_at
