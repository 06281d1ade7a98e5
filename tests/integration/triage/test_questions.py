"""A clinician asks the referrer: reminders, an answer or none, and the referral is never forgotten."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.db.postgres import Pool
from shared.events import (
    Consent,
    InformationReminded,
    InformationRequested,
    ReferralTriaged,
    ReviewOverdue,
    ReviewRequested,
)
from shared.ids import now
from shared.vocabulary import Priority, Urgency
from shared.web.auth import Role
from tests.integration.triage.support import CALM_SHEET, WORSE_SHEET, fact, last, said, take, withdrawal
from tests.integration.triage.test_claims import queue
from tests.integration.triage.test_deadlines import deadline_job
from tests.integration.triage.test_reviews import Call, decide, keys, triage

__all__ = ["keys", "triage"]  # fixtures

HOUR = timedelta(hours=1)
ASK = {"action": "ask", "reason": "missing_information", "questions": ["consent", "requested_priority"]}
UNKNOWN: dict[str, Any] = {"requested_priority": Priority.UNKNOWN}


async def asked(pool: Pool, call: Call, **changes: Any) -> UUID:
    referral_id = uuid4()
    await take(pool, fact(referral_id, **UNKNOWN | changes))
    answer = await decide(call, referral_id, **ASK)
    assert answer.status_code == 200, answer.text
    return referral_id


async def heard(pool: Pool, kind: type[Any]) -> list[Any]:
    return [each for each in await said(pool) if isinstance(each, kind)]


async def test_the_question_says_who_what_and_until_when(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = await asked(pool, call)
    before = (await heard(pool, ReferralTriaged))[-1]
    request = await last(pool, InformationRequested)
    assert (request.decided_by, request.reason) == ("dr-grey", "missing_information")
    assert [question.code for question in request.questions] == ASK["questions"]
    assert request.questions[0].text == "Does the person agree to share this with the network?"
    assert request.answer_by - request.occurred_at == 72 * HOUR
    assert (request.urgency, request.respond_by) == (before.urgency, before.respond_by), "the clock goes on"
    history = (await call("GET", f"/v1/referrals/{referral_id}/decisions")).json()["decisions"]
    assert history[-1]["type"] == "InformationRequested"


async def test_it_leaves_the_queue_and_can_still_be_seen(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = await asked(pool, call)
    assert await queue(call) == []
    (seen,) = await queue(call, "?waits_for=referrer")
    assert (seen["referral_id"], seen["asked"]["by"]) == (str(referral_id), "dr-grey")
    assert seen["asked"]["codes"] == ASK["questions"]
    assert len(await queue(call, "?waits_for=all")) == 1


async def test_the_referrer_is_reminded_on_schedule(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    await asked(pool, call)
    counts = []
    for hours in (35, 37, 40, 58, 70):
        await deadline_job(pool, hours * HOUR).act_on_reviews()
        counts.append(len(await heard(pool, InformationReminded)))
    assert counts == [0, 1, 1, 2, 2]
    assert await heard(pool, ReviewOverdue) == []


async def test_without_an_answer_it_comes_back_as_overdue_and_somebody_is_told(
    triage: tuple[Pool, Call],
) -> None:
    pool, call = triage
    referral_id = await asked(pool, call)
    respond_by = await pool.fetchval("select respond_by from referral")
    await deadline_job(pool, 73 * HOUR).act_on_reviews()
    (spoken,) = await heard(pool, ReviewOverdue)
    assert spoken.unanswered
    assert await queue(call, "?waits_for=referrer") == []
    await pool.execute("update review set review_by = review_by - interval '73 hours'")
    (seen,) = await queue(call)
    assert (seen["referral_id"], seen["overdue"], seen["asked"]) == (str(referral_id), True, None)
    assert await pool.fetchval("select respond_by from referral") == respond_by
    await deadline_job(pool, 78 * HOUR).act_on_reviews()
    again = (await heard(pool, ReviewOverdue))[-1]
    assert not again.unanswered, "now it is the clinicians who are late"


@pytest.mark.parametrize("kind", ["amended", "screening"])
async def test_an_answer_brings_it_back_to_the_queue(triage: tuple[Pool, Call], kind: Any) -> None:
    pool, call = triage
    referral_id = await asked(pool, call)
    await take(pool, fact(referral_id, kind=kind, revision=2))
    (seen,) = await queue(call)
    assert seen["asked"] is None and not seen["overdue"]
    rules = [reason["rule"] for reason in seen["reasons"]]
    assert rules == ["better-answers", "referrer-answered"], "now that the priority is known it asks for less"
    review, triaged = (await said(pool))[-2:]
    assert isinstance(review, ReviewRequested) and isinstance(triaged, ReferralTriaged)
    assert triaged.in_review
    await deadline_job(pool, 40 * HOUR).act_on_reviews()
    assert await heard(pool, InformationReminded) == [], "an answer ends the reminders"


async def test_an_answer_that_is_worse_raises_at_once(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = await asked(pool, call)
    worse = (CALM_SHEET, WORSE_SHEET)
    await take(pool, fact(referral_id, kind="screening", revision=2, express=True, screenings=worse))
    spoken = await last(pool, ReferralTriaged)
    assert (spoken.urgency, spoken.express) == (Urgency.VERY_URGENT, True)
    (seen,) = await queue(call)
    assert "referrer-answered" in {reason["rule"] for reason in seen["reasons"]}


async def test_an_answer_does_not_move_the_time_to_respond(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = await asked(pool, call)
    before = await pool.fetchval("select respond_by from referral")
    late = fact(referral_id, kind="amended", revision=2, **UNKNOWN)
    await take(pool, late.model_copy(update={"occurred_at": before - HOUR}))
    (seen,) = await queue(call)
    assert await pool.fetchval("select respond_by from referral") == before
    assert (await pool.fetchval("select review_by from review")) == before
    assert seen["referral_id"] == str(referral_id)


async def test_what_was_held_stays_held_until_the_answer_settles_it(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = await asked(pool, call, consent=Consent(share_with_network=False))
    assert (await last(pool, InformationRequested)).holds
    assert await pool.fetchval("select state from referral") == "held"
    await take(pool, fact(referral_id, kind="amended", revision=2))
    assert (await last(pool, ReferralTriaged)).in_review


async def test_what_nobody_reviewed_can_be_asked_about_too(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = uuid4()
    await take(pool, fact(referral_id))
    assert (await decide(call, referral_id, **ASK)).status_code == 200
    await deadline_job(pool, 73 * HOUR).act_on_reviews()
    assert [each.unanswered for each in await heard(pool, ReviewOverdue)] == [True]


async def test_a_clinician_may_decide_without_waiting(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = await asked(pool, call)
    assert (await decide(call, referral_id, action="confirm", reason="assessed")).status_code == 200
    await deadline_job(pool, 80 * HOUR).act_on_reviews()
    assert await heard(pool, InformationReminded) == [] == await heard(pool, ReviewOverdue)


async def test_a_withdrawal_ends_the_question(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = await asked(pool, call)
    await take(pool, withdrawal(referral_id))
    await deadline_job(pool, 80 * HOUR).act_on_reviews()
    assert await heard(pool, InformationReminded) == [] == await heard(pool, ReviewOverdue)


async def test_an_answer_that_came_before_the_question_is_seen_first(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = uuid4()
    await take(pool, fact(referral_id, **UNKNOWN))
    await take(pool, fact(referral_id, kind="amended", revision=2, **UNKNOWN))
    stale = await decide(call, referral_id, **ASK, seen=2)
    assert (stale.status_code, stale.json()["code"]) == (409, "seen_is_old")


async def test_every_fault_of_a_question_is_named_at_once(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = uuid4()
    await take(pool, fact(referral_id, **UNKNOWN))
    body = {"action": "ask", "reason": "curiosity", "questions": ["consent", "shoe_size"]}
    answer = await decide(call, referral_id, **body)
    assert answer.status_code == 422
    assert [each["where"] for each in answer.json()["errors"]] == ["/reason", "/questions/1"]
    assert "shoe_size" not in answer.text
    assert (await call("GET", "/v1/reviews?waits_for=nobody", role=Role.COORDINATOR)).status_code == 422
    assert now() < (await pool.fetchval("select review_by from review"))
