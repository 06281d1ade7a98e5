"""What `careroute reconcile` asks the databases about reviews, on real ones."""

from datetime import timedelta
from uuid import uuid4

from services.notify.db.checks import NO_CLINICIAN_ALERTED
from services.triage.db.checks import DECIDED, OVERDUE, OVERDUE_NOT_PUBLISHED
from shared.db.postgres import Pool
from shared.vocabulary import Urgency
from tests.integration.notify import support
from tests.integration.notify.support import ROUTINE, About
from tests.integration.triage.support import fact, take
from tests.integration.triage.test_deadlines import deadline_job
from tests.integration.triage.test_questions import ASK, UNKNOWN
from tests.integration.triage.test_reviews import Call, decide, keys, triage
from tests.support import NewDatabase

__all__ = ["keys", "triage"]  # fixtures

DAY = timedelta(days=1)


async def test_a_review_past_its_time_of_which_nothing_was_said_is_named(database: NewDatabase) -> None:
    pool = await database("triage")
    late, in_time = uuid4(), uuid4()
    await take(pool, fact(late, **UNKNOWN), fact(in_time, **UNKNOWN))
    assert await pool.fetch(OVERDUE_NOT_PUBLISHED.query, 0) == []
    past = "update review set review_by = now() - interval '1 h', due_at = now() - interval '1 h' "
    await pool.execute(past + "where referral_id = $1", late)
    assert [row[0] for row in await pool.fetch(OVERDUE_NOT_PUBLISHED.query, 0)] == [late]
    await deadline_job(pool).act_on_reviews()
    assert await pool.fetch(OVERDUE_NOT_PUBLISHED.query, 0) == []
    said = await pool.fetch(OVERDUE, -1)
    assert [row["id"] for row in said] == [late]


async def test_who_was_not_told_of_it_is_named(database: NewDatabase) -> None:
    pool = await database("notify")
    told, untold, only_clinic = About(uuid4()), About(uuid4()), About(uuid4())
    await support.person(pool, "clin-1", "clinician")
    await support.take(pool, ROUTINE, told.overdue(Urgency.SOON), only_clinic.triaged(Urgency.SOON))
    ids = [each.referral for each in (told, untold, only_clinic)]
    named = await pool.fetch(NO_CLINICIAN_ALERTED, ids, [1, 1, 1])
    assert {row["id"] for row in named} == {untold.referral, only_clinic.referral}


async def test_matching_need_not_know_what_does_not_concern_it(triage: tuple[Pool, Call]) -> None:
    """A question, and a review because of waiting, are words that matching passes over."""
    pool, call = triage
    asked, held = uuid4(), uuid4()
    await take(pool, fact(asked, **UNKNOWN), fact(held))
    assert (await decide(call, asked, **ASK)).status_code == 200
    await deadline_job(pool, 40 * DAY).ask_again()
    must = {row["id"]: row["revision"] for row in await pool.fetch(DECIDED, -1)}
    assert must == {asked: 2, held: 1}
    newest = await pool.fetch("select referral_id, decision from referral")
    assert {row["referral_id"]: row["decision"] for row in newest} == {asked: 3, held: 2}
