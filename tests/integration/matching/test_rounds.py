"""Rounds of matching: the best set of pairs, the last place, and who waits."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.matching.domain.offer_rules import LEVELS, OVERDUE
from services.matching.domain.state import State
from services.matching.handlers import roster_updates
from shared.db.postgres import transaction
from shared.events import MatchProposed, ReferralWaitlisted, TherapistChanged, Wish
from shared.ids import now
from shared.vocabulary import Urgency
from tests.integration.matching.stage import WAITS_FOR_A_LOCK, Stage, entry, held, triaged
from tests.support import eventually


async def test_a_client_is_offered_the_therapist_who_fits_best(stage: Stage) -> None:
    _, woman = await stage.roster(entry(genders=["man"]), entry(genders=["woman"]))
    fact = triaged(wishes=(Wish(criterion="therapist_gender", values=("woman",)),))
    await stage.receive(fact)
    await stage.settle()
    (event,) = await stage.published(MatchProposed)
    assert (event.referral_id, event.therapist_id, event.attempt) == (fact.referral_id, woman, 1)
    assert (event.eligible, event.considered, event.urgency) == (2, 2, Urgency.ROUTINE)
    assert {c.criterion: c.score for c in event.criteria}["therapist_gender"] == 1.0
    offer = await stage.open_offer(fact.referral_id)
    assert (offer.id, offer.therapist_id) == (event.offer_id, woman)
    assert [other.score < offer.score for other in offer.runners_up] == [True]
    assert (await stage.referral(fact.referral_id)).state is State.OFFERED
    await stage.assert_places_add_up()


async def test_a_batch_is_assigned_jointly(stage: Stage) -> None:
    """The easy client came first, yet leaves the only therapist to the one who has no other."""
    spanish, english = await stage.roster(entry(languages=["en", "es"]), entry())
    easy, picky = triaged(), triaged(languages=("es",))
    await stage.receive(easy, picky)
    await stage.settle()
    assert (await stage.open_offer(easy.referral_id)).therapist_id == english
    assert (await stage.open_offer(picky.referral_id)).therapist_id == spanish


async def test_two_matchers_at_once_never_both_take_the_last_place(stage: Stage) -> None:
    """Many rounds of races: each with as many matchers as there are clients, for a single place."""
    for _ in range(8):
        (therapist_id,) = await stage.roster(entry(region="north", payers=[payer := f"p{uuid4().hex[:8]}"]))
        facts = [triaged(payer=payer) for _ in range(6)]
        stage.round_size = 1
        matchers = [stage.another_matcher() for _ in facts]
        for matcher in matchers:  # all have read that the place is free
            async with transaction(stage.pool) as connection:
                await matcher.snapshot.refresh(connection)
        await stage.receive(*facts)
        await asyncio.gather(*(matcher.routine() for matcher in matchers))
        await asyncio.gather(*(stage.settle(matcher) for matcher in matchers))
        held = await stage.pool.fetch(
            "select referral_id from offer where therapist_id = $1 and state = 'open'", therapist_id
        )
        assert len(held) == 1
        await stage.assert_places_add_up()
        states = [(await stage.referral(fact.referral_id)).state for fact in facts]
        assert sorted(states) == sorted([State.OFFERED, *[State.WAITING] * 5])


async def test_many_matchers_fill_every_place_once(stage: Stage) -> None:
    await stage.roster(*(entry(places_total=places) for places in (1, 2, 3, 4)))
    facts = [triaged() for _ in range(30)]
    stage.round_size = 4
    await stage.receive(*facts)
    await asyncio.gather(*(stage.settle(stage.another_matcher()) for _ in range(4)))
    await stage.assert_places_add_up()
    states = [(await stage.referral(fact.referral_id)).state for fact in facts]
    assert states.count(State.OFFERED) == 10
    assert states.count(State.WAITING) == 20


async def test_who_loses_a_place_is_in_the_next_round(stage: Stage) -> None:
    """The place is there when the round decides, and gone when it comes to take it."""
    best, other = await stage.roster(entry(genders=["woman"]), entry())
    fact = triaged(wishes=(Wish(criterion="therapist_gender", values=("woman",)),))
    await stage.receive(fact)
    async with stage.pool.acquire() as rival:
        taking = rival.transaction()
        await taking.start()
        await rival.execute(
            "update therapist set places_total = 0, changed = this_change() where id = $1", best
        )
        round_ = asyncio.create_task(stage.matcher.routine())
        await eventually(lambda: stage.pool.fetchval(WAITS_FOR_A_LOCK), what="waiting for the place")
        await taking.commit()
        assert await round_ is True
    assert (await stage.referral(fact.referral_id)).state is State.WAITING
    assert (await stage.published(MatchProposed), await stage.published(ReferralWaitlisted)) == ([], [])
    await stage.settle()
    assert (await stage.open_offer(fact.referral_id)).therapist_id == other


@pytest.mark.parametrize(
    ("roster", "reason", "eligible", "relaxations"),
    [
        ([], "roster_empty", 0, []),
        ([entry(places_total=0)], "no_place", 1, []),
        ([entry(payers=["state"]), entry(payers=["state"])], "no_eligible_therapist", 0, [("payer", 2)]),
    ],
)
async def test_who_gets_none_is_told_why_once(
    stage: Stage, roster: list[object], reason: str, eligible: int, relaxations: list[tuple[str, int]]
) -> None:
    await stage.roster(*roster)  # type: ignore[arg-type]  # entries
    fact = triaged()
    await stage.receive(fact)
    stage.matcher.retry = timedelta(0)  # due again at once
    for _ in range(3):
        await stage.matcher.routine()
    (event,) = await stage.published(ReferralWaitlisted)
    assert (event.referral_id, event.reason, event.eligible) == (fact.referral_id, reason, eligible)
    assert [(r.limit, r.opens) for r in event.relaxations] == relaxations
    row = await stage.referral(fact.referral_id)
    assert [(r.limit, r.opens) for r in row.relaxations] == relaxations


async def test_a_new_reason_is_told_again(stage: Stage) -> None:
    fact = triaged()
    await stage.receive(fact)
    stage.matcher.retry = timedelta(0)  # due again at once
    await stage.matcher.routine()
    await stage.roster(entry(places_total=0))
    await stage.matcher.routine()
    assert [f.reason for f in await stage.published(ReferralWaitlisted)] == ["roster_empty", "no_place"]


async def test_more_places_help_who_waits_at_once(stage: Stage) -> None:
    (id_,) = await stage.roster(entry(places_total=0))
    fact = triaged()
    await stage.receive(fact)
    await stage.settle()
    await stage.keep({id_: entry(places_total=1)})
    await stage.settle()
    assert (await stage.open_offer(fact.referral_id)).therapist_id == id_


async def test_a_changed_entry_helps_whom_nobody_could_see(stage: Stage) -> None:
    (id_,) = await stage.roster(entry(region="islands"))
    fact = triaged(languages=("vi",))
    await stage.receive(fact)
    await stage.settle()
    assert [f.reason for f in await stage.published(ReferralWaitlisted)] == ["no_eligible_therapist"]
    remote = entry(
        region="islands", languages=["vi"], settings=["telehealth"], telehealth_regions=["north", "south"]
    )
    await stage.keep({id_: remote})
    await stage.settle()
    assert (await stage.open_offer(fact.referral_id)).therapist_id == id_


async def test_a_free_place_goes_to_the_most_urgent_who_waits(stage: Stage) -> None:
    (id_,) = await stage.roster(entry(places_total=0))
    routine = [triaged() for _ in range(3)]
    urgent = triaged(urgency=Urgency.URGENT)
    await stage.receive(*routine, urgent)
    await stage.settle()
    await stage.keep({id_: entry(places_total=1)})
    stage.round_size = stage.matcher.round_size = 2
    await stage.settle()
    assert (await stage.open_offer(urgent.referral_id)).therapist_id == id_


async def test_who_waits_far_too_long_goes_before_the_newly_urgent(stage: Stage) -> None:
    (id_,) = await stage.roster(entry(places_total=0))
    old = triaged(urgency=Urgency.ROUTINE, ago=timedelta(days=28 * 3))
    new = triaged(urgency=Urgency.URGENT)
    await stage.receive(new, old)
    await stage.settle()
    assert (await stage.referral(old.referral_id)).level == OVERDUE
    await stage.keep({id_: entry(places_total=1)})
    await stage.settle()
    assert (await stage.open_offer(old.referral_id)).therapist_id == id_
    assert (await stage.referral(new.referral_id)).state is State.WAITING


async def test_waiting_raises_the_level_at_each_try(stage: Stage) -> None:
    fact = triaged(urgency=Urgency.SOON)
    await stage.receive(fact)
    await stage.settle()
    assert (await stage.referral(fact.referral_id)).level == LEVELS[Urgency.SOON]
    await stage.pool.execute(
        "update referral set waiting_since = waiting_since - interval '8 days', try_at = now()"
    )
    await stage.settle()
    assert (await stage.referral(fact.referral_id)).level == LEVELS[Urgency.SOON] + 1


async def test_express_has_rounds_of_its_own(stage: Stage) -> None:
    (id_,) = await stage.roster(entry())
    crisis = triaged(urgency=Urgency.EMERGENCY)
    await stage.receive(*(triaged() for _ in range(5)), crisis)
    assert await stage.matcher.express() is False
    assert (await stage.open_offer(crisis.referral_id)).therapist_id == id_
    assert len(await stage.published(MatchProposed)) == 1


async def test_the_snapshot_follows_what_others_change(stage: Stage) -> None:
    here, there = stage.matcher.snapshot, stage.another_matcher().snapshot
    ids = await stage.roster(entry(places_total=3), entry(places_total=5))

    async def free(snapshot: object) -> dict[UUID, int]:
        async with transaction(stage.pool) as connection:
            await snapshot.refresh(connection)  # type: ignore[attr-defined]  # a Snapshot
        roster = snapshot.roster  # type: ignore[attr-defined]
        return {id_: int(roster.free[roster.row_of[id_]]) for id_ in ids}

    assert await free(here) == await free(there) == {ids[0]: 3, ids[1]: 5}
    await stage.receive(*(triaged() for _ in range(4)))
    await stage.settle()
    after = await free(there)
    assert sum(after.values()) == 4
    assert await free(here) == after
    await stage.keep({ids[1]: entry(places_total=5, active=False)})
    assert (await free(there))[ids[1]] == 0


async def test_a_slow_writer_is_not_missed(stage: Stage) -> None:
    """A change begun before, committed after a refresh by others who began later."""
    ids = await stage.roster(entry(places_total=1), entry(places_total=1))
    snapshot = stage.matcher.snapshot
    async with stage.pool.acquire() as slow:
        begun = slow.transaction()
        await begun.start()
        await slow.execute(
            "update therapist set places_total = 9, changed = this_change() where id = $1", ids[0]
        )
        await stage.pool.execute(
            "update therapist set places_total = 7, changed = this_change() where id = $1", ids[1]
        )
        async with transaction(stage.pool) as connection:
            await snapshot.refresh(connection)
        await begun.commit()
    async with transaction(stage.pool) as connection:
        await snapshot.refresh(connection)
    assert [int(snapshot.roster.free[snapshot.roster.row_of[id_]]) for id_ in ids] == [9, 7]


async def test_a_moved_area_moves_who_works_there(stage: Stage) -> None:
    async with transaction(stage.pool) as connection:
        await roster_updates.update_areas(connection, {"N1": (42.0, -71.0), "N2": (43.0, -71.0)})
    (id_,) = await stage.roster(entry(area="N2"))
    near = Wish(criterion="distance_km", values=("20",), must=True)
    fact = triaged(area="N1", wishes=(near,))
    await stage.receive(fact)
    await stage.settle()
    (event,) = await stage.published(ReferralWaitlisted)
    assert [(r.limit, r.opens) for r in event.relaxations] == [("must_distance_km", 1)]
    async with transaction(stage.pool) as connection:
        counts = await roster_updates.update_areas(connection, {"N1": (42.0, -71.0), "N2": (42.1, -71.0)})
    assert counts == {"changed": 1, "unchanged": 1}
    await stage.settle()
    assert (await stage.open_offer(fact.referral_id)).therapist_id == id_


async def test_a_held_referral_is_not_matched(stage: Stage) -> None:
    await stage.roster(entry())
    fact = triaged()
    await stage.receive(fact, held(fact.referral_id))
    await stage.settle()
    assert (await stage.referral(fact.referral_id)).state is State.HELD
    await stage.receive(triaged(fact.referral_id, decision=3))
    await stage.settle()
    assert await stage.open_offer(fact.referral_id)


async def test_entries_are_announced_when_they_change_and_only_then(stage: Stage) -> None:
    (id_,) = await stage.roster(entry(name="B. Somebody"))
    assert (await stage.keep({id_: entry(name="B. Somebody")})).unchanged == (id_,)
    assert (await stage.keep({id_: entry(name="B. Somebody", places_total=2)})).updated == (id_,)
    events = await stage.published(TherapistChanged)
    assert [(f.therapist_id, f.version, f.places_total) for f in events] == [(id_, 1, 1), (id_, 2, 2)]
    bodies = await stage.pool.fetch("select convert_from(body, 'UTF8') as body from outbox")
    assert not [row for row in bodies if "Somebody" in row["body"]]


async def test_fewer_places_than_are_taken_are_let_run_out(stage: Stage) -> None:
    (id_,) = await stage.roster(entry(places_total=3))
    facts = [triaged() for _ in range(3)]
    await stage.receive(*facts)
    await stage.settle()
    await stage.keep({id_: entry(places_total=1)})
    waiting = triaged()
    await stage.receive(waiting)
    for fact in facts[:2]:
        await stage.decline(await stage.open_offer(fact.referral_id))
        await stage.settle()
        assert (await stage.referral(waiting.referral_id)).state is State.WAITING
        await stage.assert_places_add_up()
    await stage.decline(await stage.open_offer(facts[2].referral_id))
    await stage.settle()
    assert (await stage.open_offer(waiting.referral_id)).therapist_id == id_


async def test_the_database_itself_refuses_a_place_too_many(stage: Stage) -> None:
    await stage.roster(entry(places_total=1))
    await stage.pool.execute("update therapist set places_taken = places_taken + 1")
    with pytest.raises(asyncpg.CheckViolationError):
        await stage.pool.execute("update therapist set places_taken = places_taken + 1")


async def test_an_offer_stands_as_long_as_its_urgency_allows(stage: Stage) -> None:
    stage.matcher.hours = {**stage.hours, Urgency.URGENT: 2.0}
    await stage.roster(entry())
    fact = triaged(urgency=Urgency.URGENT)
    await stage.receive(fact)
    await stage.settle()
    offer = await stage.open_offer(fact.referral_id)
    assert offer.expires_at - offer.offered_at == timedelta(hours=2)
    assert offer.offered_at <= now()
