"""What triage says, in any order and any number of times: the newest decision wins, once."""

import asyncio
import itertools
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.matching.domain.offer_rules import LEVELS
from services.matching.domain.state import ClosedBy, State
from shared.errors import Transient
from shared.events import AnyFact, MatchDeclined, MatchProposed, ReferralClosed, Wish
from shared.vocabulary import Urgency
from tests.integration.matching.stage import WAITS_FOR_A_LOCK, Stage, ended, entry, held, returned, triaged
from tests.support import eventually


async def test_the_same_fact_twice_is_acted_on_once(stage: Stage) -> None:
    await stage.roster(entry(places_total=5))
    fact = triaged()
    await stage.receive(fact, fact)
    await stage.settle()
    await stage.receive(fact)
    await stage.settle()
    assert len(await stage.published(MatchProposed)) == 1
    await stage.assert_places_add_up()


async def test_an_older_decision_is_dropped(stage: Stage) -> None:
    fact = triaged(urgency=Urgency.URGENT, revision=2, decision=3)
    await stage.receive(fact)
    await stage.receive(
        triaged(fact.referral_id, urgency=Urgency.ROUTINE, revision=1, decision=1),
        triaged(fact.referral_id, urgency=Urgency.SOON, revision=2, decision=2),
        ended(fact.referral_id, revision=2, decision=3),
    )
    row = await stage.referral(fact.referral_id)
    assert (row.urgency, row.revision, row.decision, row.state) == (Urgency.URGENT, 2, 3, State.WAITING)


async def test_withdrawn_while_waiting(stage: Stage) -> None:
    fact = triaged()
    await stage.receive(fact)
    await stage.settle()
    await stage.receive(ended(fact.referral_id))
    await stage.roster(entry())
    await stage.settle()
    assert (await stage.referral(fact.referral_id)).state is State.CLOSED
    events = await stage.published(ReferralClosed)
    assert [(f.reason, f.revision, f.therapist_id) for f in events] == [("withdrawn", 2, None)]
    assert await stage.published(MatchProposed) == []


@pytest.mark.parametrize("accepted", [False, True])
async def test_withdrawn_frees_the_place_for_who_waits(stage: Stage, accepted: bool) -> None:
    (id_,) = await stage.roster(entry())
    leaving, waiting = triaged(urgency=Urgency.SOON), triaged()
    await stage.receive(leaving, waiting)
    await stage.settle()
    offer = await stage.open_offer(leaving.referral_id)
    if accepted:
        await stage.accept(offer)
    await stage.receive(ended(leaving.referral_id))
    await stage.settle()
    assert (await stage.open_offer(waiting.referral_id)).therapist_id == id_
    (closed,) = await stage.published(ReferralClosed)
    assert (closed.referral_id, closed.reason, closed.therapist_id) == (leaving.referral_id, "withdrawn", id_)
    assert [o.state for o in await stage.offers(leaving.referral_id)] == ["ended" if accepted else "released"]
    await stage.assert_places_add_up()


async def test_returned_and_come_again(stage: Stage) -> None:
    await stage.roster(entry())
    fact = triaged()
    await stage.receive(fact)
    await stage.settle()
    await stage.receive(returned(fact.referral_id))
    row = await stage.referral(fact.referral_id)
    assert (row.state, row.closed_by, row.closed_reason) == (State.CLOSED, ClosedBy.TRIAGE, "returned")
    await stage.receive(triaged(fact.referral_id, revision=2, decision=3))
    await stage.settle()
    # nobody declined, so the same therapist may be asked
    assert (await stage.open_offer(fact.referral_id)).attempt == 2
    await stage.assert_places_add_up()


async def test_what_was_never_matched_has_no_end_to_tell(stage: Stage) -> None:
    id_ = uuid4()
    await stage.receive(ended(id_, revision=2, decision=2))
    assert await stage.published(ReferralClosed) == []
    await stage.receive(triaged(id_, revision=1, decision=1))  # came by the slower lane
    assert (await stage.referral(id_)).state is State.CLOSED


async def test_every_order_of_the_same_facts_ends_the_same(stage: Stage) -> None:
    await stage.roster(entry(places_total=100))

    def history(id_: UUID) -> list[AnyFact]:
        return [
            triaged(id_, decision=1),
            held(id_, decision=2),
            triaged(id_, urgency=Urgency.URGENT, revision=2, decision=3),
            returned(id_, revision=2, decision=4),
            triaged(id_, urgency=Urgency.SOON, revision=3, decision=5),
        ]

    ends = set()
    for order in itertools.permutations(range(5)):
        id_ = uuid4()
        facts = history(id_)
        await stage.receive(*(facts[place] for place in order))
        row = await stage.referral(id_)
        ends.add((row.state, row.urgency, row.revision, row.decision, row.held, row.closed_by))
    assert ends == {(State.WAITING, Urgency.SOON, 3, 5, False, None)}


async def test_triaged_again_while_waiting_keeps_its_place_in_time(stage: Stage) -> None:
    first = triaged(ago=timedelta(days=10))
    await stage.receive(first)
    await stage.settle()
    await stage.receive(triaged(first.referral_id, urgency=Urgency.SOON, revision=2, decision=2))
    row = await stage.referral(first.referral_id)
    assert (row.urgency, row.state, row.reason) == (Urgency.SOON, State.WAITING, None)
    assert row.waiting_since == first.occurred_at
    assert row.level == LEVELS[Urgency.SOON] + 1  # ten days, where seven are the target


async def test_triaged_again_after_acceptance_keeps_the_match(stage: Stage) -> None:
    await stage.roster(entry(places_total=5), entry(languages=["vi"], places_total=5))
    fact = triaged()
    await stage.receive(fact)
    await stage.settle()
    await stage.accept(await stage.open_offer(fact.referral_id))
    await stage.receive(
        triaged(fact.referral_id, urgency=Urgency.URGENT, revision=2, decision=2, languages=("vi",))
    )
    await stage.settle()
    row = await stage.referral(fact.referral_id)
    assert (row.state, row.urgency) == (State.ACCEPTED, Urgency.URGENT)
    assert len(await stage.published(MatchProposed)) == 1
    await stage.assert_places_add_up()


async def test_more_urgent_while_offered_is_answered_sooner(stage: Stage) -> None:
    stage.hours = {**stage.hours, Urgency.URGENT: 1.0}
    await stage.roster(entry())
    fact = triaged()
    await stage.receive(fact)
    await stage.settle()
    before = await stage.open_offer(fact.referral_id)
    await stage.receive(triaged(fact.referral_id, urgency=Urgency.URGENT, revision=2, decision=2))
    after = await stage.open_offer(fact.referral_id)
    assert (after.id, after.therapist_id) == (before.id, before.therapist_id)
    assert before.expires_at - after.expires_at > timedelta(hours=22)
    await stage.receive(triaged(fact.referral_id, revision=3, decision=3))
    assert (await stage.open_offer(fact.referral_id)).expires_at == after.expires_at


async def test_an_offer_that_no_longer_fits_is_taken_back(stage: Stage) -> None:
    english, spanish = await stage.roster(entry(), entry(languages=["es"]))
    fact = triaged()
    await stage.receive(fact)
    await stage.settle()
    offer = await stage.open_offer(fact.referral_id)
    assert offer.therapist_id == english
    await stage.receive(triaged(fact.referral_id, revision=2, decision=2, languages=("es",)))
    (event,) = await stage.published(MatchDeclined)
    assert (event.offer_id, event.reason, event.revision) == (offer.id, "needs_changed", 2)
    assert not event.answered
    await stage.settle()
    assert (await stage.open_offer(fact.referral_id)).therapist_id == spanish
    await stage.receive(triaged(fact.referral_id, revision=3, decision=3))
    await stage.settle()
    # nobody declined, so the first may be asked again
    assert (await stage.open_offer(fact.referral_id)).therapist_id == english
    await stage.assert_places_add_up()


async def test_over_and_triaged_again_in_one_batch(stage: Stage) -> None:
    await stage.roster(entry(), entry())
    fact = triaged()
    await stage.receive(fact)
    await stage.settle()
    await stage.receive(
        returned(fact.referral_id, decision=2), triaged(fact.referral_id, revision=2, decision=3)
    )
    await stage.settle()
    assert (await stage.referral(fact.referral_id)).state is State.OFFERED
    await stage.assert_places_add_up()


async def test_new_by_both_lanes_at_once_is_tried_again(stage: Stage) -> None:
    """The routine lane has written the referral and not yet committed when the express lane writes it."""
    await stage.roster(entry(places_total=5))
    fact = triaged()
    async with stage.pool.acquire() as other_lane:
        writing = other_lane.transaction()
        await writing.start()
        await other_lane.execute(
            "insert into referral (id, clinic, region, revision, decision, state, express) "
            "values ($1, 'clinic-1', 'north', 1, 1, 'held', false)",
            fact.referral_id,
        )
        express = triaged(fact.referral_id, revision=2, decision=2, express=True)
        hearing = asyncio.create_task(stage.receive(express))
        await eventually(lambda: stage.pool.fetchval(WAITS_FOR_A_LOCK), what="waiting for the row")
        await writing.commit()
        with pytest.raises(Transient):
            await hearing
    await stage.receive(express)
    await stage.settle()
    assert (await stage.referral(fact.referral_id)).decision == 2
    assert len(await stage.published(MatchProposed)) == 1


async def test_a_review_that_does_not_hold_changes_nothing(stage: Stage) -> None:
    fact = triaged()
    await stage.receive(fact)
    await stage.settle()
    before = await stage.referral(fact.referral_id)
    await stage.receive(held(fact.referral_id, holds=False))
    assert await stage.referral(fact.referral_id) == before


async def test_medication_alone_is_not_what_a_therapist_is_chosen_by(stage: Stage) -> None:
    await stage.roster(entry(modalities=["medication_review"], places_total=9))
    both = triaged(modalities=("cbt", "medication_review"))
    only = triaged(modalities=("medication_review",))
    await stage.receive(both, only)
    await stage.settle()
    assert (await stage.referral(both.referral_id)).reason == "no_eligible_therapist"
    assert await stage.open_offer(only.referral_id)


async def test_with_nothing_indicated_the_problem_decides(stage: Stage) -> None:
    _, grief = await stage.roster(entry(problems=["ocd"]), entry(problems=["grief"]))
    fact = triaged(modalities=(), problems=("grief",))
    await stage.receive(fact)
    await stage.settle()
    assert (await stage.open_offer(fact.referral_id)).therapist_id == grief


async def test_a_language_is_the_same_in_every_script_and_country(stage: Stage) -> None:
    (id_,) = await stage.roster(entry(languages=["es-MX"]))
    wish = Wish(criterion="language", values=("es-PR",), must=True)
    fact = triaged(languages=("es-419",), wishes=(wish,))
    await stage.receive(fact)
    await stage.settle()
    assert (await stage.open_offer(fact.referral_id)).therapist_id == id_
