"""What is counted in the databases and timed from facts is what happened."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from services.intake.jobs import measurements
from services.matching.jobs import measurements as matching_measuring
from services.triage.jobs import measurements as triage_measuring
from shared.events import MatchAccepted, MatchProposed, NoticeAcknowledged, ReferralTriaged
from shared.ids import new_id, now
from shared.vocabulary import Urgency
from tests.integration.intake.support import Intake, about, intake_on
from tests.integration.intake.test_facts import triaged
from tests.integration.matching.stage import Stage, entry
from tests.integration.matching.stage import triaged as triage_says
from tests.integration.triage.support import fact, take
from tests.journey.town import referral
from tests.support import NewDatabase

HOUR = timedelta(hours=1)
sample = partial(REGISTRY.get_sample_value)


@pytest.fixture
async def intake(database: NewDatabase) -> AsyncIterator[Intake]:
    async with intake_on(await database("intake")) as intake:
        yield intake


def missed(urgency: Urgency) -> float | None:
    return sample("careroute_deadlines_missed", {"urgency": urgency})


async def overdue(intake: Intake, urgency: Urgency = Urgency.URGENT) -> dict[str, str]:
    """A referral whose time to respond passed an hour ago."""
    taken = await intake.submit(referral())
    await intake.hear(triaged(taken, urgency, respond_by=now() - HOUR))
    return taken


async def test_referrals_under_way_are_counted_by_state_and_urgency(intake: Intake) -> None:
    for _ in range(2):
        await intake.hear(triaged(await intake.submit(referral()), Urgency.SOON))
    await intake.submit(referral())
    withdrawn = await intake.submit(referral())
    await intake.call("POST", f"/v1/referrals/{withdrawn['id']}/withdrawal", {"reason": "moved_away"})
    await measurements.count(intake.pool)
    assert sample("careroute_referrals", {"state": "triaged", "urgency": "soon"}) == 2
    assert sample("careroute_referrals", {"state": "received", "urgency": "none"}) == 1
    assert sample("careroute_referrals", {"state": "withdrawn", "urgency": "none"}) is None
    assert 0 < (sample("careroute_untriaged_oldest_seconds") or 0) < 60


async def test_a_deadline_is_missed_until_somebody_accepts_or_acknowledges(intake: Intake) -> None:
    accepted, acknowledged, told = [await overdue(intake) for _ in range(3)]
    in_time = await intake.submit(referral())
    await intake.hear(triaged(in_time, Urgency.URGENT))
    await measurements.count(intake.pool)
    assert missed(Urgency.URGENT) == 3
    offer: dict[str, Any] = {"offer_id": uuid4(), "therapist_id": uuid4()}
    await intake.hear(MatchAccepted(**about(accepted), urgency=Urgency.URGENT, **offer))
    answer: dict[str, Any] = {
        "notice_id": new_id(),
        "about": "ReferralTriaged",
        "recipient": "psy-1",
        "by": "psy-1",
    }
    await intake.hear(
        NoticeAcknowledged(**about(acknowledged), audience="psychiatrist", **answer),
        NoticeAcknowledged(**about(told), audience="ops", **answer),  # an alarm heard is not a response
    )
    await measurements.count(intake.pool)
    assert missed(Urgency.URGENT) == 1
    assert missed(Urgency.ROUTINE) == 0


async def test_an_old_acknowledgement_answers_nothing_that_was_stated_since(intake: Intake) -> None:
    crisis, urgent, joined = Urgency.EMERGENCY, Urgency.URGENT, Urgency.SOON
    answer: dict[str, Any] = {
        "notice_id": new_id(),
        "about": "ReferralTriaged",
        "audience": "psychiatrist",
        "recipient": "psy-1",
        "by": "psy-1",
    }
    for urgency in (crisis, urgent, joined):
        taken = await overdue(intake, urgency)
        early, late = {"occurred_at": now()}, {"occurred_at": now() + HOUR}
        when = late if urgency is joined else early
        await intake.hear(NoticeAcknowledged(**about(taken) | when, **answer))
        await measurements.count(intake.pool)
        assert missed(urgency) == 0
        again = triaged(taken, urgency, revision=2, decision=2, restates=urgency, respond_by=now() - HOUR / 2)
        await intake.hear(again)
    await measurements.count(intake.pool)
    assert (missed(crisis), missed(urgent), missed(joined)) == (1, 1, 0)


def reached(step: str, urgency: Urgency) -> tuple[float, float]:
    """How many, and their seconds added up."""
    labels = {"step": step, "urgency": urgency}
    found = [sample(f"careroute_reached_seconds_{part}", labels) or 0.0 for part in ("count", "sum")]
    return found[0], found[1]


async def test_the_time_to_each_step_is_that_of_its_first_fact(intake: Intake) -> None:
    taken = await intake.submit(referral())
    urgency = Urgency.PREVENTIVE  # nobody else in these tests is
    first = triaged(taken, urgency)
    first = first.model_copy(update={"occurred_at": first.occurred_at + HOUR})
    again = triaged(taken, urgency, revision=2)
    offer = MatchProposed(
        **about(taken) | {"occurred_at": now() + 2 * HOUR},
        urgency=urgency,
        offer_id=uuid4(),
        therapist_id=uuid4(),
        attempt=1,
        expires_at=now() + 3 * HOUR,
        score=0.5,
        criteria=(),
        eligible=1,
        considered=1,
    )
    await intake.hear(first)
    await intake.hear(first, again, offer)
    assert isinstance(again, ReferralTriaged)
    for step, seconds in (("triaged", 3600), ("offered", 7200)):
        count, total = reached(step, urgency)
        assert count == 1 and abs(total - seconds) < 5


async def test_reviews_and_places_are_counted(database: NewDatabase) -> None:
    triage, stage = await database("triage"), Stage(await database("matching"))
    await take(triage, fact(requested_priority="unknown"))
    await triage.execute("update review set review_by = now() - interval '1 hour'")
    await triage_measuring.count(triage)
    urgency = await triage.fetchval("select urgency from review")
    assert sample("careroute_reviews_open", {"urgency": urgency}) == 1
    assert sample("careroute_reviews_overdue", {"urgency": urgency}) == 1

    await stage.roster(entry(places_total=3), entry(places_total=2, active=False))
    await stage.receive(triage_says(urgency=Urgency.SOON, ago=HOUR))
    await stage.receive(triage_says(urgency=Urgency.URGENT, ago=HOUR, languages=("eo",)))
    await stage.settle()
    await matching_measuring.count(stage.pool)
    assert sample("careroute_matching_places", {"state": "open"}) == 2
    assert sample("careroute_matching_places", {"state": "taken"}) == 1
    longest = sample("careroute_matching_longest_wait_seconds", {"urgency": "urgent"})
    assert longest == pytest.approx(3600, abs=10)
    assert sample("careroute_matching_longest_wait_seconds", {"urgency": "soon"}) == 0
