"""Facts of intake in, decisions out, on a real database."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

from services.triage.handlers.intake import handle
from shared.db.postgres import transaction
from shared.events import (
    Consent,
    Needs,
    ReferralTriaged,
    ReviewRequested,
    Screening,
    Topic,
    TriageEnded,
    TriageFact,
)
from shared.vocabulary import LevelOfCare, Priority, Urgency
from tests.integration.triage.support import CALM_SHEET, WORSE_SHEET, fact, last, said, take, withdrawal
from tests.support import NewDatabase
from tests.unit.triage.samples import CALM, DAY, POLICY


def types(facts: Sequence[object]) -> list[str]:
    return [type(each).__name__ for each in facts]


async def test_a_referral_is_triaged_with_its_reasons_and_needs(database: NewDatabase) -> None:
    pool = await database("triage")
    submitted = fact(problems=("depression", "insomnia"), goals=("sleep",), strengths=("friends",))
    await take(pool, submitted)
    (triaged,) = await said(pool)
    assert isinstance(triaged, ReferralTriaged)
    assert (triaged.decision, triaged.revision, triaged.key) == (1, 1, "north")
    assert triaged.topic is Topic.TRIAGE_DECISIONS
    assert triaged.urgency is Urgency.ROUTINE
    assert triaged.level_of_care is LevelOfCare.LOW_INTENSITY
    assert triaged.respond_by == submitted.occurred_at + timedelta(days=28)
    assert (triaged.policy, triaged.policy_version) == (POLICY.name, POLICY.version)
    assert triaged.needs == Needs(
        age=40,
        languages=("en",),
        payer="payer-1",
        problems=("depression", "insomnia"),
        goals=("sleep",),
        strengths=("friends",),
    )
    assert {"guided_self_help", "cbt_i"} <= {each.modality for each in triaged.indications}
    assert [rule.rule for rule in triaged.rules][:1] == ["routine"]
    assert not triaged.in_review


async def test_a_fact_delivered_again_changes_nothing(database: NewDatabase) -> None:
    pool = await database("triage")
    submitted = fact()
    await take(pool, submitted, submitted)
    await take(pool, submitted)
    assert len(await said(pool)) == 1


async def test_the_same_fact_by_two_consumers_at_once_is_acted_on_once(database: NewDatabase) -> None:
    pool = await database("triage")
    facts = [fact() for _ in range(20)]
    await asyncio.gather(take(pool, *facts), take(pool, *reversed(facts)), take(pool, *facts))
    assert len(await said(pool)) == 20


async def test_two_revisions_by_two_lanes_at_once_end_in_the_newest(database: NewDatabase) -> None:
    """Whatever their order, the last word is about revision 2, and no decision number is used twice."""
    pool = await database("triage")
    ids = [uuid4() for _ in range(20)]
    first = [fact(i) for i in ids]
    second = [fact(i, kind="screening", revision=2, express=True, screenings=(WORSE_SHEET,)) for i in ids]
    await asyncio.gather(take(pool, *first), take(pool, *second))
    for referral_id in ids:
        spoken = [f for f in await said(pool, referral_id) if isinstance(f, TriageFact)]
        assert spoken[-1].revision == 2
        assert [f.decision for f in spoken] == list(range(1, len(spoken) + 1))
    rows = await pool.fetch("select urgency, revision, express from referral")
    assert {tuple(row) for row in rows} == {("very_urgent", 2, True)}


async def test_an_old_revision_is_dropped(database: NewDatabase) -> None:
    pool = await database("triage")
    referral_id = uuid4()
    await take(pool, fact(referral_id, kind="amended", revision=3))
    await take(pool, fact(referral_id, revision=1, red_flags=("overdose",)))
    assert [f.revision for f in await said(pool) if isinstance(f, TriageFact)] == [3]


async def test_a_later_worse_screening_raises_and_goes_express(database: NewDatabase) -> None:
    pool = await database("triage")
    referral_id = uuid4()
    await take(pool, fact(referral_id))
    worse = fact(referral_id, kind="screening", revision=2, screenings=(CALM_SHEET, WORSE_SHEET))
    await take(pool, worse)
    first, review, second = await said(pool)
    assert isinstance(first, ReferralTriaged)
    assert isinstance(review, ReviewRequested)
    assert isinstance(second, ReferralTriaged)
    assert first.urgency is Urgency.ROUTINE
    assert second.urgency is Urgency.VERY_URGENT
    assert second.respond_by == worse.occurred_at + timedelta(hours=4)
    assert (review.express, second.express, second.topic) == (True, True, Topic.TRIAGE_EXPRESS)
    assert [r.rule for r in review.reasons] == [
        "cssrs-intent-plan-or-recent-act",
        "cssrs-thoughts",
        "safety-conflict",
    ]
    assert "cssrs.q4=1" in {rule.datum for rule in second.rules}
    assert second.in_review
    assert not review.holds


async def test_better_answers_do_not_lower_and_express_stays_express(database: NewDatabase) -> None:
    pool = await database("triage")
    referral_id = uuid4()
    await take(pool, fact(referral_id, express=True, red_flags=("recent_attempt",)))
    first = await last(pool, ReferralTriaged)
    await take(pool, fact(referral_id, kind="amended", revision=2, express=False))
    spoken = await last(pool, ReferralTriaged)
    assert (spoken.urgency, spoken.express) == (Urgency.VERY_URGENT, True)
    assert spoken.respond_by == first.respond_by
    assert "kept" in {rule.rule for rule in spoken.rules}


async def test_express_of_intake_is_express_here(database: NewDatabase) -> None:
    pool = await database("triage")
    positive = Screening(instrument="phq9", taken_on=DAY, answers=(*CALM[:8], 1))
    await take(pool, fact(express=True, screenings=(positive,)))
    assert {f.topic for f in await said(pool) if isinstance(f, TriageFact)} == {Topic.TRIAGE_EXPRESS}


async def test_several_revisions_in_one_batch_are_taken_in_order(database: NewDatabase) -> None:
    pool = await database("triage")
    referral_id = uuid4()
    await take(
        pool,
        fact(referral_id),
        fact(referral_id, kind="amended", revision=2, requested_priority=Priority.URGENT),
        fact(referral_id, kind="amended", revision=3),
    )
    spoken = [f for f in await said(pool) if isinstance(f, ReferralTriaged)]
    assert [(f.decision, f.revision, f.urgency) for f in spoken] == [
        (1, 1, Urgency.ROUTINE),
        (2, 2, Urgency.URGENT),
        (4, 3, Urgency.URGENT),  # between them: that it asks for less now is shown to a clinician
    ]


class TestReviews:
    async def test_a_question_left_open_goes_to_a_person_while_matching_goes_on(
        self, database: NewDatabase
    ) -> None:
        pool = await database("triage")
        open_ = Screening(instrument="phq9", taken_on=DAY, answers=(*CALM[:8], "refused"))
        await take(pool, fact(screenings=(open_,)))
        review, triaged = await said(pool)
        assert isinstance(review, ReviewRequested)
        assert [reason.datum for reason in review.reasons] == ["phq9.item9=not assessed"]
        assert review.review_by - review.occurred_at <= timedelta(hours=24)
        assert isinstance(triaged, ReferralTriaged)
        assert triaged.in_review
        assert triaged.urgency is Urgency.URGENT

    async def test_what_holds_is_not_triaged_until_it_is_settled(self, database: NewDatabase) -> None:
        pool = await database("triage")
        referral_id = uuid4()
        await take(pool, fact(referral_id, consent=Consent(share_with_network=False)))
        assert types(await said(pool)) == ["ReviewRequested"]
        (row,) = await pool.fetch("select state, holds from referral join review using (referral_id)")
        assert tuple(row) == ("held", True)
        await take(pool, fact(referral_id, kind="amended", revision=2))
        spoken = await last(pool, ReferralTriaged)
        assert spoken.in_review  # the rules opened the review; a person closes it

    async def test_nothing_holds_an_emergency(self, database: NewDatabase) -> None:
        pool = await database("triage")
        refused = Consent(share_with_network=False)
        await take(pool, fact(express=True, consent=refused, red_flags=("overdose",)))
        assert types(await said(pool)) == ["ReviewRequested", "ReferralTriaged"]

    async def test_the_same_question_is_not_asked_of_a_person_twice(self, database: NewDatabase) -> None:
        pool = await database("triage")
        referral_id = uuid4()
        await take(pool, fact(referral_id, requested_priority=Priority.UNKNOWN))
        unknown = Priority.UNKNOWN
        await take(
            pool, fact(referral_id, kind="amended", revision=2, requested_priority=unknown, payer="payer-2")
        )
        assert types(await said(pool)) == ["ReviewRequested", "ReferralTriaged", "ReferralTriaged"]


class TestWithdrawal:
    async def test_it_ends_triage_and_closes_the_review(self, database: NewDatabase) -> None:
        pool = await database("triage")
        referral_id = uuid4()
        await take(pool, fact(referral_id, requested_priority=Priority.UNKNOWN))
        await take(pool, withdrawal(referral_id))
        ended = await last(pool, TriageEnded)
        assert (ended.decision, ended.reason) == (3, "no_longer_needed")
        assert await pool.fetchval("select count(*) from review") == 0

    async def test_what_comes_after_it_changes_nothing(self, database: NewDatabase) -> None:
        pool = await database("triage")
        referral_id = uuid4()
        await take(pool, withdrawal(referral_id, revision=2))
        await take(pool, fact(referral_id, revision=1))
        await take(pool, fact(referral_id, kind="amended", revision=3))
        assert types(await said(pool)) == ["TriageEnded"]


async def test_the_history_is_what_was_said(database: NewDatabase) -> None:
    pool = await database("triage")
    referral_id = uuid4()
    await take(
        pool, fact(referral_id), fact(referral_id, kind="screening", revision=2, screenings=(WORSE_SHEET,))
    )
    rows = await pool.fetch("select type, decision, fact from decision order by decision")
    assert [row["fact"] for row in rows] == [f.model_dump(mode="json") for f in await said(pool)]
    assert all(b["decision"] == a["decision"] + 1 for a, b in pairwise(rows))


async def test_a_batch_that_fails_leaves_nothing_behind(database: NewDatabase) -> None:
    pool = await database("triage")
    submitted = fact()
    with pytest.raises(ZeroDivisionError):
        async with transaction(pool) as connection:
            await handle(connection, [submitted], policy=POLICY)
            raise ZeroDivisionError
    assert await said(pool) == []
    await take(pool, submitted)
    assert len(await said(pool)) == 1
