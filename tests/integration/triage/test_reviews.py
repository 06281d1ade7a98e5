"""What clinicians read and decide, over HTTP, on a real database."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from careroute.local.keys import Keys
from careroute.tokens import sign
from services.triage.api.decisions import routes
from shared.db.postgres import Pool
from shared.events import Consent, ReferralReturned, ReferralTriaged, Screening
from shared.vocabulary import Priority, Urgency
from shared.web import problems
from shared.web.auth import Role, Verifier
from tests.integration.triage.support import CALM_SHEET, WORSE_SHEET, fact, last, said, take
from tests.support import NewDatabase
from tests.unit.triage.samples import CALM, DAY, POLICY

Call = Callable[..., Awaitable[httpx.Response]]

ITEM9 = Screening(instrument="phq9", taken_on=DAY, answers=(*CALM[:8], 1))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    keys = Keys(Path(tmp_path_factory.mktemp("network")))
    keys.ensure()
    return keys


@pytest.fixture
async def triage(database: NewDatabase, keys: Keys) -> tuple[Pool, Call]:
    pool = await database("triage")
    app = FastAPI()
    app.state.verifier = Verifier.from_file(keys.public_keys)
    app.include_router(routes(POLICY, pool=lambda: pool, wake=lambda: None))
    problems.install(app)

    async def call(
        method: str,
        path: str,
        body: Any = None,
        *,
        role: Role = Role.CLINICIAN,
        subject: str = "dr-grey",
        clinic: str | None = None,
    ) -> httpx.Response:
        token = sign(
            keys.signing_key, role=role, subject=subject, clinic=clinic, now=datetime.now(UTC), hours=1
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://triage") as client:
            return await client.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})

    return pool, call


async def newest(call: Call, referral_id: UUID) -> int:
    answer = await call("GET", f"/v1/referrals/{referral_id}/decisions")
    return int(answer.json()["decisions"][-1]["decision"])


def back(step: str, *, days: float = 0.9, reason: str = "duplicate", **more: Any) -> dict[str, Any]:
    """What it takes to return a referral."""
    by = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    steps = [{"step": step, "owner": "referrer", "by": by, **more}]
    return {"reason": reason, "advice": ["come_back_if_worse"], "next_steps": steps}


async def decide(call: Call, referral_id: UUID, **body: Any) -> httpx.Response:
    body.setdefault("seen", await newest(call, referral_id))
    return await call("POST", f"/v1/reviews/{referral_id}/decision", body)


async def test_the_decisions_say_why(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = uuid4()
    await take(pool, fact(referral_id, screenings=(ITEM9,)))
    answer = await call("GET", f"/v1/referrals/{referral_id}/decisions", role=Role.COORDINATOR)
    assert answer.status_code == 200
    review, triaged = answer.json()["decisions"]
    assert review["type"] == "ReviewRequested"
    assert {"rule": "phq9-item9", "datum": "phq9.item9=1"}.items() <= triaged["rules"][0].items()


async def test_the_queue_is_ordered_by_deadline_and_read_page_by_page(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    urgent, soon, emergency = uuid4(), uuid4(), uuid4()
    await take(pool, fact(urgent, screenings=(ITEM9,)))
    await take(pool, fact(soon, requested_priority=Priority.UNKNOWN))
    await take(pool, fact(emergency, red_flags=("overdose",)))
    await take(pool, fact())  # nothing to review
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        page = (await call("GET", "/v1/reviews?limit=1" + (f"&cursor={cursor}" if cursor else ""))).json()
        seen += [review["referral_id"] for review in page["reviews"]]
        cursor = page["next_cursor"]
    assert seen == [str(emergency), str(urgent), str(soon)]
    assert cursor is None


async def test_an_overdue_review_says_so(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    late = fact(red_flags=("overdose",)).model_copy(
        update={"occurred_at": datetime.now(UTC) - timedelta(hours=1)}
    )
    await take(pool, late)
    (review,) = (await call("GET", "/v1/reviews")).json()["reviews"]
    assert review["overdue"]
    assert review["reasons"][0]["rule"] == "flag-emergency"


class TestDecision:
    async def test_confirm_closes_the_review_under_the_clinicians_name(
        self, triage: tuple[Pool, Call]
    ) -> None:
        pool, call = triage
        referral_id = uuid4()
        await take(pool, fact(referral_id, screenings=(ITEM9,)))
        answer = await decide(call, referral_id, action="confirm", reason="assessed")
        assert answer.status_code == 200, answer.text
        before = (await said(pool))[-2]
        assert isinstance(before, ReferralTriaged)
        spoken = await last(pool, ReferralTriaged)
        assert (spoken.urgency, spoken.decided_by, spoken.in_review) == (Urgency.URGENT, "dr-grey", False)
        assert spoken.respond_by == before.respond_by
        assert spoken.decision == before.decision + 1
        assert (await call("GET", "/v1/reviews")).json()["reviews"] == []

    async def test_raise_goes_express(self, triage: tuple[Pool, Call]) -> None:
        pool, call = triage
        referral_id = uuid4()
        await take(pool, fact(referral_id))
        body = {"action": "raise", "urgency": "very_urgent", "reason": "new_information"}
        assert (await decide(call, referral_id, **body)).status_code == 200
        spoken = await last(pool, ReferralTriaged)
        assert (spoken.urgency, spoken.express) == (Urgency.VERY_URGENT, True)
        assert spoken.respond_by - spoken.occurred_at == timedelta(hours=4)

    async def test_lower_stands_until_something_new_is_said(self, triage: tuple[Pool, Call]) -> None:
        pool, call = triage
        referral_id = uuid4()
        await take(pool, fact(referral_id, screenings=(ITEM9,)))
        body = {"action": "lower", "urgency": "soon", "reason": "assessed_in_person"}
        assert (await decide(call, referral_id, **body)).status_code == 200
        await take(pool, fact(referral_id, kind="amended", revision=2, screenings=(ITEM9,), payer="payer-2"))
        kept = await last(pool, ReferralTriaged)
        assert (kept.urgency, kept.in_review) == (Urgency.SOON, False)
        worse = (ITEM9, WORSE_SHEET)
        await take(pool, fact(referral_id, kind="screening", revision=3, express=True, screenings=worse))
        raised = await last(pool, ReferralTriaged)
        assert (raised.urgency, raised.in_review) == (Urgency.VERY_URGENT, True)

    async def test_return_needs_a_next_step_and_a_clock(self, triage: tuple[Pool, Call]) -> None:
        pool, call = triage
        referral_id = uuid4()
        await take(pool, fact(referral_id, requested_priority=Priority.UNKNOWN))
        bare = await decide(call, referral_id, action="return", reason="other_service")
        assert bare.status_code == 422
        assert {e["where"] for e in bare.json()["errors"]} == {"/advice", "/next_steps"}
        full = back("refer_to_named_service", days=7, reason="other_service", service="grief-centre")
        assert (await decide(call, referral_id, action="return", **full)).status_code == 200
        spoken = await last(pool, ReferralReturned)
        assert (spoken.reason, spoken.next_step, spoken.decided_by) == (
            "other_service",
            "refer_to_named_service",
            "dr-grey",
        )
        assert timedelta(days=6) < spoken.next_step_by - spoken.occurred_at < timedelta(days=7)
        (step,) = spoken.next_steps
        assert (step.owner, step.by, step.service) == ("referrer", spoken.next_step_by, "grief-centre")
        assert step.text == "Refer to the service named by the clinician."
        assert [each.code for each in spoken.advice] == ["come_back_if_worse"]

    async def test_what_was_returned_may_come_again(self, triage: tuple[Pool, Call]) -> None:
        pool, call = triage
        referral_id = uuid4()
        await take(pool, fact(referral_id, screenings=(ITEM9,)))
        full = back("continue_existing_referral")
        await decide(call, referral_id, action="return", **full)
        await take(pool, fact(referral_id, kind="amended", revision=2, screenings=(CALM_SHEET,)))
        spoken = await last(pool, ReferralTriaged)
        assert spoken.urgency is Urgency.ROUTINE

    async def test_what_was_held_goes_on_once_settled(self, triage: tuple[Pool, Call]) -> None:
        pool, call = triage
        referral_id = uuid4()
        await take(pool, fact(referral_id, consent=Consent(share_with_network=False)))
        answer = await decide(call, referral_id, action="confirm", reason="consent_settled")
        assert answer.status_code == 200
        spoken = await last(pool, ReferralTriaged)
        assert not spoken.in_review

    async def test_who_has_not_seen_the_newest_is_asked_to_look_again(
        self, triage: tuple[Pool, Call]
    ) -> None:
        pool, call = triage
        referral_id = uuid4()
        await take(pool, fact(referral_id, screenings=(ITEM9,)))
        seen = await newest(call, referral_id)
        worse = (ITEM9, WORSE_SHEET)
        await take(pool, fact(referral_id, kind="screening", revision=2, express=True, screenings=worse))
        body = {"action": "lower", "urgency": "routine", "reason": "assessed_by_phone", "seen": seen}
        answer = await decide(call, referral_id, **body)
        assert answer.status_code == 409
        assert answer.json()["code"] == "seen_is_old"
        assert await pool.fetchval("select urgency from referral") == "very_urgent"

    @pytest.mark.parametrize(
        ("body", "where"),
        [
            ({"action": "lower", "urgency": "emergency", "reason": "agrees"}, {"/urgency", "/reason"}),
            ({"action": "raise", "urgency": "routine", "reason": "assessed"}, {"/urgency"}),
            ({"action": "raise", "reason": "assessed"}, {"/urgency"}),
            ({"action": "confirm", "reason": "no_such_reason"}, {"/reason"}),
            ({"action": "confirm", "reason": "two words"}, {"/reason"}),
            ({"action": "close", "reason": "assessed"}, {"/action"}),
            ({"action": "confirm", "reason": "assessed", "note": "x"}, {"/note"}),
        ],
    )
    async def test_every_fault_is_named_and_nothing_decided(
        self, triage: tuple[Pool, Call], body: dict[str, Any], where: set[str]
    ) -> None:
        pool, call = triage
        referral_id = uuid4()
        await take(pool, fact(referral_id, screenings=(ITEM9,)))
        before = await said(pool)
        answer = await decide(call, referral_id, **body)
        assert answer.status_code == 422
        assert {error["where"] for error in answer.json()["errors"]} == where
        assert await said(pool) == before

    async def test_a_subject_that_is_an_address_does_not_travel(self, triage: tuple[Pool, Call]) -> None:
        pool, call = triage
        referral_id = uuid4()
        await take(pool, fact(referral_id, screenings=(ITEM9,)))
        body = {"action": "confirm", "reason": "assessed", "seen": 2}
        path = f"/v1/reviews/{referral_id}/decision"
        answer = await call("POST", path, body, subject="grey@hospital.example")
        assert answer.status_code == 403
        assert "grey" not in answer.text

    async def test_what_is_over_is_not_decided(self, triage: tuple[Pool, Call]) -> None:
        pool, call = triage
        referral_id = uuid4()
        await take(pool, fact(referral_id))
        full = back("continue_existing_referral")
        await decide(call, referral_id, action="return", **full)
        answer = await decide(call, referral_id, action="confirm", reason="agrees")
        assert (answer.status_code, answer.json()["code"]) == (409, "already_over")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/referrals/{id}/decisions", {Role.CLINICIAN, Role.COORDINATOR, Role.OPS}),
        ("GET", "/v1/reviews", {Role.CLINICIAN, Role.COORDINATOR}),
        ("POST", "/v1/reviews/{id}/decision", {Role.CLINICIAN}),
    ],
)
async def test_roles(triage: tuple[Pool, Call], method: str, path: str, allowed: set[Role]) -> None:
    pool, call = triage
    referral_id = uuid4()
    await take(pool, fact(referral_id, screenings=(ITEM9,)))
    body = {"action": "confirm", "reason": "assessed", "seen": 2} if method == "POST" else None
    for role in Role:
        clinic = "clinic-1" if role is Role.CLINIC else None
        answer = await call(method, path.format(id=referral_id), body, role=role, clinic=clinic)
        assert answer.status_code == (200 if role in allowed else 403)


async def test_what_does_not_exist(triage: tuple[Pool, Call]) -> None:
    _, call = triage
    body = {"action": "confirm", "reason": "assessed", "seen": 1}
    assert (await call("GET", f"/v1/referrals/{uuid4()}/decisions")).status_code == 404
    assert (await call("POST", f"/v1/reviews/{uuid4()}/decision", body)).status_code == 404
    assert (await call("GET", "/v1/reviews?cursor=nowhere")).status_code == 422
    assert (await call("GET", "/v1/reviews?after=nowhere")).status_code == 422
    assert (await call("GET", "/v1/referrals/not-an-id/decisions")).status_code == 422


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"action": "confirm", "urgency": "very_urgent"}, {"/urgency"}),
        ({"action": "confirm", **back("advice_call"), "reason": "assessed"}, {"/advice", "/next_steps"}),
        ({"action": "raise", "urgency": "very_urgent", "questions": ["consent"]}, {"/questions"}),
        ({"action": "return", **back("advice_call"), "urgency": "soon"}, {"/urgency"}),
        ({"action": "ask", "reason": "unclear", "questions": ["consent"], "urgency": "urgent"}, {"/urgency"}),
    ],
)
async def test_what_an_action_does_not_take_is_not_passed_over(
    triage: tuple[Pool, Call], body: dict[str, Any], where: set[str]
) -> None:
    """Whoever confirms with an urgency may think that they have raised it."""
    pool, call = triage
    referral_id = uuid4()
    await take(pool, fact(referral_id, screenings=(ITEM9,)))
    answer = await decide(call, referral_id, **{"reason": "assessed"} | body)
    assert answer.status_code == 422
    assert {error["where"] for error in answer.json()["errors"]} == where


async def test_an_emergency_is_not_returned_before_somebody_has_seen_to_it(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = uuid4()
    await take(pool, fact(referral_id, express=True, red_flags=("overdose",)))
    answer = await decide(call, referral_id, action="return", **back("advice_call", days=1))
    assert [error["code"] for error in answer.json()["errors"]] == ["first_step_too_late"]
    assert await pool.fetchval("select state from referral") == "triaged"
