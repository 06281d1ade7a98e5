"""What the other services say is kept and shown: where a referral stands, why, and what may be done next."""

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.intake.api.request_examples import MINIMAL, REFERRAL
from shared.errors import Permanent
from shared.events import (
    AnyFact,
    CrisisOutcomeRecorded,
    FiredRule,
    MatchAccepted,
    MatchProposed,
    Needs,
    NoticeAcknowledged,
    ReferralReturned,
    ReferralTriaged,
    ReferralWaitlisted,
)
from shared.ids import now
from shared.vocabulary import LevelOfCare, Urgency
from shared.web.auth import Role
from tests.integration.intake.support import Intake, about, intake_on
from tests.support import NewDatabase

RULE = FiredRule(rule="item9", datum="phq9.item9=1", text="An answer asks for a conversation the same day.")


@pytest.fixture
async def intake(database: NewDatabase) -> AsyncIterator[Intake]:
    async with intake_on(await database("intake")) as intake:
        yield intake


def triaged(
    taken: dict[str, Any], urgency: Urgency = Urgency.ROUTINE, *, revision: int = 1, **more: Any
) -> ReferralTriaged:
    said: dict[str, Any] = {
        "express": taken["express"],
        "decision": 1,
        "respond_by": now() + timedelta(hours=4),
        "level_of_care": LevelOfCare.MODERATE,
        "team": ("therapist",),
        "rules": (RULE,),
        "policy": "default",
        "policy_version": "1",
        "needs": Needs(age=34),
    }
    return ReferralTriaged(**about(taken, revision=revision), urgency=urgency, **said | more)


def proposed(taken: dict[str, Any]) -> MatchProposed:
    return MatchProposed(
        **about(taken),
        urgency=Urgency.ROUTINE,
        offer_id=uuid4(),
        therapist_id=uuid4(),
        attempt=1,
        expires_at=now() + timedelta(days=2),
        score=0.9,
        criteria=(),
        eligible=3,
        considered=40,
    )


def waitlisted(taken: dict[str, Any]) -> ReferralWaitlisted:
    return ReferralWaitlisted(
        **about(taken), urgency=Urgency.SOON, reason="no_place", eligible=0, try_again_by=now()
    )


def acknowledged(taken: dict[str, Any], *, revision: int = 1) -> NoticeAcknowledged:
    return NoticeAcknowledged(
        **about(taken, revision=revision),
        notice_id=uuid4(),
        about="ReferralTriaged",
        audience="psychiatrist",
        recipient="psychiatrist-1",
        by="psychiatrist-1",
    )


async def test_the_state_follows_and_the_timeline_says_why(intake: Intake) -> None:
    taken = await intake.submit(MINIMAL)
    await intake.hear(triaged(taken, Urgency.SOON), proposed(taken))
    seen = await intake.read(taken["id"])
    assert (seen["state"], seen["fhir_status"], seen["urgency"]) == ("offered", "ready", "soon")
    assert seen["due_by"]
    assert [entry["type"] for entry in seen["timeline"]] == [
        "ReferralSubmitted",
        "ReferralTriaged",
        "MatchProposed",
    ]
    assert seen["timeline"][1]["reasons"] == [RULE.model_dump(exclude_none=True)]
    assert seen["timeline"][2]["details"]["eligible"] == 3
    assert [action["action"] for action in seen["next_actions"]] == ["amend", "record_screening", "withdraw"]


async def test_a_crisis_is_shown_as_one_until_somebody_has_answered(intake: Intake) -> None:
    taken = await intake.submit(REFERRAL)
    await intake.hear(triaged(taken, Urgency.VERY_URGENT), proposed(taken))
    seen = await intake.read(taken["id"])
    assert (seen["state"], seen["fhir_status"], seen["fhir_priority"]) == (
        "crisis_handover",
        "in-progress",
        "stat",
    )
    await intake.hear(acknowledged(taken))
    seen = await intake.read(taken["id"])
    assert (seen["state"], seen["fhir_priority"]) == ("offered", None)


async def test_a_crisis_stated_again_is_one_until_somebody_has_answered_that(intake: Intake) -> None:
    taken = await intake.submit(REFERRAL)
    urgent = Urgency.VERY_URGENT
    await intake.hear(triaged(taken, urgent, restates=urgent), acknowledged(taken))
    assert (await intake.read(taken["id"]))["state"] == "triaged"
    await intake.hear(triaged(taken, urgent, revision=2, decision=2, restates=urgent))
    assert (await intake.read(taken["id"]))["state"] == "crisis_handover"
    await intake.hear(triaged(taken, urgent, revision=3, decision=3))
    assert (await intake.read(taken["id"]))["state"] == "crisis_handover"
    await intake.hear(acknowledged(taken, revision=2))
    assert (await intake.read(taken["id"]))["state"] == "triaged"


async def test_the_outcome_of_a_crisis_is_in_the_timeline(intake: Intake) -> None:
    taken = await intake.submit(REFERRAL)
    await intake.hear(triaged(taken, Urgency.EMERGENCY), acknowledged(taken))
    said = acknowledged(taken).model_dump(exclude={"type", "event_id", "occurred_at"})
    for outcome, state in (("not_reached", "crisis_handover"), ("reached", "triaged")):
        common = {"event_id": uuid4(), "occurred_at": now(), "outcome": outcome}
        await intake.hear(CrisisOutcomeRecorded(**said | common))
        seen = await intake.read(taken["id"])
        entry = seen["timeline"][-1]
        assert (seen["state"], entry["type"], entry["details"]["outcome"]) == (
            state,
            "CrisisOutcomeRecorded",
            outcome,
        )
        assert entry["what"] == "Somebody who had acknowledged a crisis recorded what came of it."


async def test_a_return_comes_with_its_next_step(intake: Intake) -> None:
    taken = await intake.submit(MINIMAL)
    back = ReferralReturned(
        **about(taken),
        express=False,
        decision=2,
        reason="other_service",
        next_step="advice_call",
        next_step_by=now() + timedelta(days=2),
        decided_by="dr-grey",
    )
    await intake.hear(triaged(taken), back)
    seen = await intake.read(taken["id"])
    assert (seen["state"], seen["reason"], seen["next_step"]) == ("returned", "other_service", "advice_call")
    assert seen["due_by"] and [each["action"] for each in seen["next_actions"]] == [
        "take_next_step",
        "submit_again",
    ]


async def test_no_order_and_no_repetition_of_facts_changes_what_is_shown(intake: Intake) -> None:
    takens = [await intake.submit(MINIMAL) for _ in range(8)]
    shown = set()
    for number, taken in enumerate(takens):
        offer = proposed(taken)
        accepted = MatchAccepted(
            **about(taken), urgency=Urgency.SOON, offer_id=offer.offer_id, therapist_id=offer.therapist_id
        )
        facts: list[AnyFact] = [waitlisted(taken), triaged(taken, Urgency.SOON), offer, accepted]
        facts = [fact.model_copy(update={"occurred_at": now()}) for fact in facts]
        shuffled = facts + facts[:2]
        random.Random(number).shuffle(shuffled)
        for fact in shuffled:
            await intake.hear(fact)
        seen = await intake.read(taken["id"])
        entries = tuple(entry["type"] for entry in seen["timeline"])
        shown.add((seen["state"], seen["urgency"], len(entries), frozenset(entries)))
    assert len(shown) == 1 and next(iter(shown))[:3] == ("accepted", "soon", 5)


async def test_a_batch_for_many_referrals_moves_each(intake: Intake) -> None:
    takens = [await intake.submit(MINIMAL) for _ in range(20)]
    await intake.hear(*(triaged(taken) for taken in takens))
    rows = await intake.pool.fetch("select state, count(*) from referral group by state")
    assert [tuple(row) for row in rows] == [("triaged", 20)]


async def test_a_fact_about_a_referral_nobody_knows_is_parked_not_dropped(intake: Intake) -> None:
    taken = await intake.submit(MINIMAL)
    stranger = triaged(taken).model_copy(update={"referral_id": uuid4()})
    with pytest.raises(Permanent) as parked:
        await intake.hear(triaged(taken), stranger)
    assert parked.value.reason == "unknown_referral"
    assert (await intake.read(taken["id"]))["state"] == "received"


async def test_a_clinic_sees_its_own_and_others_as_if_they_did_not_exist(intake: Intake) -> None:
    taken = await intake.submit(REFERRAL)
    for route in ("", "/identity", "/events"):
        answers = [
            await intake.call("GET", f"/v1/referrals/{referral_id}{route}", clinic="clinic-2")
            for referral_id in (taken["id"], uuid4())
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content
        assert answers[0].headers == answers[1].headers
    page = (await intake.call("GET", "/v1/referrals", clinic="clinic-2")).json()
    assert page["referrals"] == []


@pytest.mark.parametrize("role", list(Role))
async def test_who_may_see_what(intake: Intake, role: Role) -> None:
    taken = await intake.submit(REFERRAL)
    path = f"/v1/referrals/{taken['id']}"
    standing = await intake.call("GET", path, role=role)
    assert standing.status_code == 200
    assert "Alex" not in standing.text and "1990-05-17" not in standing.text
    assert len((await intake.call("GET", "/v1/referrals", role=role)).json()["referrals"]) == 1
    who = await intake.call("GET", f"{path}/identity", role=role)
    assert who.status_code == (403 if role is Role.OPS else 200)
    assert ("Alex Example" in who.text) is (role is not Role.OPS)


async def test_every_reading_of_an_identity_is_noted(intake: Intake) -> None:
    taken = await intake.submit(REFERRAL)
    path = f"/v1/referrals/{taken['id']}/identity"
    answer = await intake.call("GET", path, role=Role.ONCALL)
    assert answer.headers["cache-control"] == "no-store"
    await intake.call("GET", path)
    await intake.call("GET", path, clinic="clinic-2")
    rows = await intake.pool.fetch("select referral_id, role, clinic, subject from identity_access")
    assert [tuple(row) for row in rows] == [
        (UUID(taken["id"]), "oncall", None, "somebody"),
        (UUID(taken["id"]), "clinic", "clinic-1", "somebody"),
    ]


async def test_the_identity_is_the_form_as_it_was_filled_in(intake: Intake) -> None:
    taken = await intake.submit(REFERRAL)
    form = (await intake.call("GET", f"/v1/referrals/{taken['id']}/identity")).json()["referral"]
    assert form["client"] == REFERRAL["client"]
    for part in ("referrer", "primary_care", "history", "notes", "screenings", "consent", "problems"):
        assert form[part] == REFERRAL[part]


async def test_pages_hold_every_referral_once_the_oldest_change_first(intake: Intake) -> None:
    takens = [await intake.submit(MINIMAL) for _ in range(7)]
    await intake.submit(MINIMAL, clinic="clinic-2")
    await intake.hear(triaged(takens[0]))
    seen: list[str] = []
    path = "/v1/referrals?limit=3"
    while path:
        page = (await intake.call("GET", path)).json()
        seen += [each["id"] for each in page["referrals"]]
        path = f"/v1/referrals?limit=3&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert seen == [taken["id"] for taken in (*takens[1:], takens[0])]


async def test_pages_by_state_and_by_time_of_change(intake: Intake) -> None:
    takens = [await intake.submit(MINIMAL) for _ in range(3)]
    await intake.hear(triaged(takens[1]))
    moved = (await intake.call("GET", "/v1/referrals?state=triaged")).json()["referrals"]
    assert [each["id"] for each in moved] == [takens[1]["id"]]
    since = moved[0]["updated_at"]
    later = await intake.call("GET", f"/v1/referrals?updated_since={since}")
    assert [each["id"] for each in later.json()["referrals"]] == [takens[1]["id"]]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("cursor=nonsense", "query.cursor"),
        ("cursor=WzEsMl0", "query.cursor"),
        ("cursor=%00", "query.cursor"),
        ("cursor=" + "W" * 180, "query.cursor"),
        ("state=gone", "query.state"),
        ("updated_since=yesterday", "query.updated_since"),
        ("updated_since=2025-03-03T09:00:00", "query.updated_since"),
        ("limit=0", "query.limit"),
        ("limit=501", "query.limit"),
    ],
)
async def test_a_question_that_cannot_be_answered_names_what_to_mend(
    intake: Intake, query: str, where: str
) -> None:
    answer = await intake.call("GET", f"/v1/referrals?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where)


async def test_an_id_that_is_none_is_refused_by_its_place(intake: Intake) -> None:
    answer = await intake.call("GET", "/v1/referrals/12345")
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "path.referral_id")
