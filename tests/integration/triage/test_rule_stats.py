"""What clinicians made of each rule is counted, by version of the policy."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.triage.handlers.intake import handle
from shared.db.postgres import Pool, transaction
from shared.events import Consent, ReferralTriaged
from shared.vocabulary import Priority
from shared.web.auth import Role
from tests.integration.triage.support import fact, last, take
from tests.integration.triage.test_reviews import ITEM9, Call, back, decide, keys, triage
from tests.unit.triage.samples import POLICY
from tests.unit.triage.test_consent import NO, WHOLE

__all__ = ["keys", "triage"]  # fixtures

COUNTS = ("fired", "confirmed", "raised", "lowered", "returned", "asked")


async def rates(call: Call, since: datetime | None = None, **how: Any) -> dict[tuple[str, str], list[int]]:
    query = f"?since={since.strftime('%Y-%m-%dT%H:%M:%SZ')}" if since else ""
    answer = await call("GET", f"/v1/rules/overrides{query}", **how)
    assert answer.status_code == 200, answer.text
    return {
        (rate["rule"], rate["policy_version"]): [rate[name] for name in COUNTS]
        for rate in answer.json()["rules"]
    }


async def decided(pool: Pool, call: Call, body: dict[str, Any], **changes: Any) -> UUID:
    referral_id = uuid4()
    await take(pool, fact(referral_id, **changes))
    answer = await decide(call, referral_id, **body)
    assert answer.status_code == 200, answer.text
    return referral_id


async def test_a_rule_that_is_often_lowered_is_seen(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    item9: dict[str, Any] = {"screenings": (ITEM9,)}
    lower = {"action": "lower", "urgency": "soon", "reason": "assessed_in_person"}
    for body in (
        lower,
        lower,
        {"action": "confirm", "reason": "agrees"},
        {"action": "raise", "urgency": "very_urgent", "reason": "new_information"},
        {"action": "return", **back("advice_call")},
        {"action": "ask", "reason": "unclear", "questions": ["screen_again"]},
    ):
        await decided(pool, call, body, **item9)
    await take(pool, fact(**item9))
    found = await rates(call)
    assert found["phq9-item9", POLICY.version] == [7, 1, 1, 2, 1, 1]


async def test_what_no_rule_raised_and_a_clinician_did_is_seen(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    body = {"action": "raise", "urgency": "urgent", "reason": "clinical_judgement"}
    await decided(pool, call, body)
    assert (await rates(call))["routine", POLICY.version] == [1, 0, 1, 0, 0, 0]


async def test_what_is_held_counts_too(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    await decided(
        pool, call, {"action": "confirm", "reason": "consent_settled"},
        consent=Consent(share_with_network=False),
    )  # fmt: skip
    assert (await rates(call))["no-consent", POLICY.version] == [1, 1, 0, 0, 0, 0]


async def test_a_decision_counts_for_the_version_that_it_was_about(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = uuid4()
    async with transaction(pool) as connection:
        earlier = replace(POLICY, version="2025-12")
        await handle(connection, [fact(referral_id, requested_priority=Priority.UNKNOWN)], policy=earlier)
    await decide(call, referral_id, action="confirm", reason="agrees")
    await take(pool, fact(requested_priority=Priority.UNKNOWN))
    found = await rates(call)
    assert found["asked-unknown", "2025-12"] == [1, 1, 0, 0, 0, 0]
    assert found["asked-unknown", POLICY.version] == [1, 0, 0, 0, 0, 0]


async def test_it_counts_for_the_newest_rules_that_it_was_about(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = uuid4()
    unknown: dict[str, Any] = {"requested_priority": Priority.UNKNOWN}
    async with transaction(pool) as connection:
        await handle(connection, [fact(referral_id, **unknown)], policy=replace(POLICY, version="old"))
    await take(pool, fact(referral_id, kind="amended", revision=2, screenings=(ITEM9,), **unknown))
    await decide(call, referral_id, action="confirm", reason="agrees")
    found = await rates(call)
    assert found["asked-unknown", "old"] == [1, 0, 0, 0, 0, 0]
    assert found["phq9-item9", POLICY.version] == [1, 1, 0, 0, 0, 0]


async def test_a_referral_that_is_amended_counts_once_and_each_decision_by_itself(
    triage: tuple[Pool, Call],
) -> None:
    pool, call = triage
    unknown: dict[str, Any] = {"requested_priority": Priority.UNKNOWN}
    referral_id = await decided(pool, call, {"action": "confirm", "reason": "agrees"}, **unknown)
    await take(pool, fact(referral_id, kind="amended", revision=2, payer="payer-2", **unknown))
    await decide(call, referral_id, action="lower", urgency="routine", reason="assessed_by_phone")
    assert (await rates(call))["asked-unknown", POLICY.version] == [1, 1, 0, 1, 0, 0]


async def test_what_is_withheld_from_the_network_is_counted_here(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    await take(pool, fact(**WHOLE, consent=NO))
    spoken = await last(pool, ReferralTriaged)
    counted = {rule for rule, _ in await rates(call)}
    assert counted - {rule.rule for rule in spoken.rules}


async def test_only_what_was_decided_since(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    await decided(pool, call, {"action": "confirm", "reason": "agrees"}, screenings=(ITEM9,))
    assert await rates(call, datetime.now(UTC) + timedelta(minutes=1)) == {}
    await pool.execute("update decision set said_at = said_at - interval '100 days'")
    assert await rates(call) == {}
    assert await rates(call, datetime.now(UTC) - timedelta(days=101)) != {}


async def test_a_decision_says_what_was_done_and_why(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    body = {"action": "lower", "urgency": "soon", "reason": "assessed_in_person"}
    await decided(pool, call, body, screenings=(ITEM9,))
    spoken = await last(pool, ReferralTriaged)
    assert (spoken.decided_by, spoken.action, spoken.reason) == ("dr-grey", "lower", "assessed_in_person")


@pytest.mark.parametrize("role", list(Role))
async def test_roles(triage: tuple[Pool, Call], role: Role) -> None:
    _, call = triage
    clinic = "clinic-1" if role is Role.CLINIC else None
    answer = await call("GET", "/v1/rules/overrides", role=role, clinic=clinic)
    assert answer.status_code == (200 if role in (Role.CLINICIAN, Role.COORDINATOR, Role.OPS) else 403)
    wrong = await call("GET", "/v1/rules/overrides?since=yesterday")
    assert (wrong.status_code, wrong.json()["errors"][0]["where"]) == (422, "query.since")
