"""A review is taken by one clinician at a time, for a while, on a real database."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.triage.db import referrals
from shared.db.postgres import Pool, transaction
from shared.events import ReferralTriaged, ReviewRequested, Stated
from shared.vocabulary import Priority, Urgency
from shared.web.auth import Role
from tests.integration.triage.support import WORSE_SHEET, fact, last, said, take
from tests.integration.triage.test_reviews import ITEM9, Call, decide, keys, triage
from tests.support import NewDatabase, eventually

__all__ = ["keys", "triage"]  # fixtures


async def claim(call: Call, referral_id: UUID, *, by: str = "dr-grey") -> httpx.Response:
    return await call("POST", f"/v1/reviews/{referral_id}/claim", subject=by)


async def release(
    call: Call, referral_id: UUID, *, by: str = "dr-grey", role: Role = Role.CLINICIAN
) -> httpx.Response:
    return await call("DELETE", f"/v1/reviews/{referral_id}/claim", subject=by, role=role)


async def queue(call: Call, query: str = "") -> list[dict[str, Any]]:
    answer = await call("GET", f"/v1/reviews{query}", role=Role.COORDINATOR)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["reviews"]
    return found


async def waiting(pool: Pool, **changes: Any) -> UUID:
    """A referral with an open review."""
    referral_id = uuid4()
    await take(pool, fact(referral_id, **{"requested_priority": Priority.UNKNOWN} | changes))
    return referral_id


async def claim_runs_out(pool: Pool) -> None:
    await pool.execute("update review set claimed_until = now() - interval '1 second'")


async def test_of_fifty_at_once_exactly_one_gets_it(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = await waiting(pool)
    answers = await asyncio.gather(*(claim(call, referral_id, by=f"dr-{n}") for n in range(50)))
    won = [answer.json() for answer in answers if answer.status_code == 200]
    lost = [answer.json() for answer in answers if answer.status_code != 200]
    assert len(won) == 1
    assert {problem["code"] for problem in lost} == {"claimed_by_another"}
    assert all(won[0]["claimed_by"] in problem["detail"] for problem in lost)
    (seen,) = await queue(call)
    assert seen["claimed_by"] == won[0]["claimed_by"]


async def test_the_queue_says_who_holds_it_and_until_when(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    mine, free = await waiting(pool), await waiting(pool)
    taken = (await claim(call, mine)).json()
    seen = {review["referral_id"]: review for review in await queue(call)}
    assert (seen[str(mine)]["claimed_by"], seen[str(mine)]["claimed_until"]) == (
        "dr-grey",
        taken["claimed_until"],
    )
    assert seen[str(free)]["claimed_by"] is None
    assert [r["referral_id"] for r in await queue(call, "?claimed=true")] == [str(mine)]
    assert [r["referral_id"] for r in await queue(call, "?claimed=false")] == [str(free)]


async def test_another_does_not_decide_it_meanwhile(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = await waiting(pool)
    await claim(call, referral_id, by="dr-white")
    body = {"action": "confirm", "reason": "assessed"}
    refused = await decide(call, referral_id, **body)
    assert (refused.status_code, refused.json()["code"]) == (409, "claimed_by_another")
    assert "dr-white" in refused.json()["detail"] and "release" in refused.json()["detail"]
    path = f"/v1/reviews/{referral_id}/decision"
    assert (await call("POST", path, body | {"seen": 2}, subject="dr-white")).status_code == 200
    assert (await last(pool, ReferralTriaged)).decided_by == "dr-white"
    assert await queue(call) == []


async def test_whoever_went_home_does_not_hold_it(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = await waiting(pool)
    await claim(call, referral_id, by="dr-white")
    await claim_runs_out(pool)
    (seen,) = await queue(call, "?claimed=false")
    assert (seen["claimed_by"], seen["claimed_until"]) == (None, None)
    assert (await claim(call, referral_id)).status_code == 200
    assert (await claim(call, referral_id, by="dr-white")).status_code == 409


async def test_a_claim_that_ran_out_keeps_nobody_from_deciding(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = await waiting(pool)
    await claim(call, referral_id, by="dr-white")
    await claim_runs_out(pool)
    assert (await decide(call, referral_id, action="confirm", reason="assessed")).status_code == 200


async def test_claiming_again_holds_it_longer(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = await waiting(pool)
    first = (await claim(call, referral_id)).json()["claimed_until"]
    again = (await claim(call, referral_id)).json()["claimed_until"]
    assert datetime.fromisoformat(again) > datetime.fromisoformat(first)


async def test_it_is_given_back_by_its_holder_or_by_a_coordinator(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = await waiting(pool)
    await claim(call, referral_id, by="dr-white")
    refused = await release(call, referral_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "claimed_by_another")
    assert (await release(call, referral_id, by="dr-white")).status_code == 204
    assert (await queue(call))[0]["claimed_by"] is None
    await claim(call, referral_id, by="dr-white")
    assert (await release(call, referral_id, by="coord-1", role=Role.COORDINATOR)).status_code == 204
    assert (await claim(call, referral_id)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "longest"),
    [({"screenings": (ITEM9,)}, timedelta(hours=1)), ({"red_flags": ("overdose",)}, timedelta(minutes=5))],
)
async def test_a_claim_lasts_no_longer_than_the_response_time(
    triage: tuple[Pool, Call], changes: dict[str, Any], longest: timedelta
) -> None:
    pool, call = triage
    referral_id = await waiting(pool, **changes)
    until = datetime.fromisoformat((await claim(call, referral_id)).json()["claimed_until"])
    assert longest - timedelta(minutes=1) < until - datetime.now(UTC) <= longest


async def test_what_becomes_more_urgent_is_open_to_whoever_is_called(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = await waiting(pool)
    await claim(call, referral_id, by="dr-white")
    unknown: dict[str, Any] = {"requested_priority": Priority.UNKNOWN}
    await take(pool, fact(referral_id, kind="amended", revision=2, payer="payer-2", **unknown))
    assert (await queue(call))[0]["claimed_by"] == "dr-white"
    await take(pool, fact(referral_id, kind="screening", revision=3, screenings=(WORSE_SHEET,), **unknown))
    (seen,) = await queue(call)
    assert (seen["urgency"], seen["claimed_by"]) == (Urgency.VERY_URGENT, None)


async def test_whoever_holds_it_learns_of_what_is_stated_again(triage: tuple[Pool, Call]) -> None:
    """It stays claimed, and is asked for once more; a fact that comes twice asks once."""
    pool, call = triage
    referral_id = await waiting(pool, red_flags=("overdose",))
    assert (await claim(call, referral_id)).status_code == 200
    flags = Stated(parts=("red_flags",))
    again = fact(referral_id, kind="amended", revision=2, express=True, red_flags=("overdose",), stated=flags)
    await take(pool, again, again)
    await take(pool, again)
    (seen,) = await queue(call)
    assert seen["claimed_by"] == "dr-grey"
    asked = [each for each in await said(pool, referral_id) if isinstance(each, ReviewRequested)]
    assert [(each.revision, each.restates) for each in asked] == [
        (1, Urgency.EMERGENCY),
        (2, Urgency.EMERGENCY),
    ]
    other = fact(
        referral_id, kind="amended", revision=3, express=True, red_flags=("overdose",), stated=Stated()
    )
    await take(pool, other)
    assert (await last(pool, ReferralTriaged)).restates is None
    assert len([each for each in await said(pool, referral_id) if isinstance(each, ReviewRequested)]) == 2


async def test_what_a_clinician_settled_is_asked_about_again_when_it_is_stated_again(
    triage: tuple[Pool, Call],
) -> None:
    """A writer from before says of no change what it states, and then nothing counts as stated again."""
    pool, call = triage
    referral_id = await waiting(pool, red_flags=("overdose",))
    confirmed = await decide(call, referral_id, action="confirm", reason="assessed")
    assert confirmed.status_code == 200, confirmed.text
    for revision, stated in ((2, None), (3, Stated(parts=("red_flags",)))):
        change = fact(
            referral_id,
            kind="amended",
            revision=revision,
            express=True,
            red_flags=("overdose",),
            requested_priority=Priority.UNKNOWN,
            stated=stated,
        )
        await take(pool, change)
        triaged = await last(pool, ReferralTriaged)
        assert triaged.restates == (Urgency.EMERGENCY if stated else None)
        assert triaged.in_review is (stated is not None)


async def test_what_is_not_in_the_queue_is_not_taken(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    await take(pool, settled := fact())
    for referral_id in (uuid4(), settled.referral_id):
        assert (await claim(call, referral_id)).status_code == 404
        assert (await release(call, referral_id)).status_code == 404


async def test_an_address_takes_nothing(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    answer = await claim(call, await waiting(pool), by="grey@hospital.example")
    assert answer.status_code == 403
    assert "grey" not in answer.text


@pytest.mark.parametrize("role", list(Role))
async def test_roles(triage: tuple[Pool, Call], role: Role) -> None:
    pool, call = triage
    path, clinic = f"/v1/reviews/{await waiting(pool)}/claim", "clinic-1" if role is Role.CLINIC else None
    taken = await call("POST", path, role=role, clinic=clinic)
    assert taken.status_code == (200 if role is Role.CLINICIAN else 403)
    given_back = await call("DELETE", path, role=role, clinic=clinic)
    assert given_back.status_code == (204 if role in (Role.CLINICIAN, Role.COORDINATOR) else 403)


async def test_whoever_waited_for_the_lock_sees_what_was_written_meanwhile(database: NewDatabase) -> None:
    """Else a fact that comes while a clinician decides would open the decided review again."""
    pool = await database("triage")
    referral_id = await waiting(pool)
    locked = asyncio.Event()

    async def close() -> None:
        async with transaction(pool) as connection:
            await referrals.lock(connection, [referral_id])
            locked.set()
            pid = await connection.fetchval("select pg_backend_pid()")
            waits = "select exists (select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)))"
            await eventually(lambda: pool.fetchval(waits, pid), what="waiting for the lock")
            await connection.execute("delete from review")

    closing = asyncio.create_task(close())
    await locked.wait()
    async with transaction(pool) as connection:
        referral = await referrals.load_one(connection, referral_id)
    await closing
    assert referral is not None
    assert referral.state.review is None
