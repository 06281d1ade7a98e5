"""A crisis that is stated again after everybody has answered the first one, between real processes."""

from typing import Any

from shared.web.auth import Role
from tests.journey.conftest import Town
from tests.journey.test_reviews import waiting_review
from tests.journey.town import referral
from tests.support import eventually

AUDIENCES = {"psychiatrist": Role.ONCALL, "clinician": Role.CLINICIAN}
SECONDS = 60
"""Well within the five minutes of an emergency."""


def alerts(town: Town, id: str, audience: str) -> set[str]:
    """The notices by which somebody of this audience was called."""
    return {
        one.body["notice_id"]
        for one in town.told(id)
        if one.recipient.startswith(f"{audience}-north") and one.body["type"] == "alert"
    }


async def called(town: Town, id: str, *, before: dict[str, set[str]]) -> dict[str, set[str]]:
    async def both() -> dict[str, set[str]] | None:
        found = {audience: alerts(town, id, audience) - before.get(audience, set()) for audience in AUDIENCES}
        return found if all(found.values()) else None

    return await eventually(both, seconds=SECONDS, what="calling the psychiatrist and the clinician")


async def acknowledge(town: Town, notices: dict[str, set[str]]) -> None:
    for audience, ids in notices.items():
        for id in ids:
            path = f"/v1/notices/{id}/acknowledgement"
            await town.api.post("notify", path, role=AUDIENCES[audience], subject=f"{audience}-1")


async def amend(town: Town, id: str, patch: dict[str, Any]) -> Any:
    path = f"/v1/referrals/{id}/amendments"
    return await town.api.post("intake", path, patch, role=Role.CLINIC, clinic="clinic-1")


async def answered(town: Town, id: str) -> None:
    async def there() -> bool:
        return bool((await town.referral(id))["state"] != "crisis_handover")

    await eventually(there, what="intake hearing that somebody has answered")


async def test_a_crisis_stated_again_calls_again_and_a_phone_number_calls_nobody(town: Town) -> None:
    taken = await town.submit(referral(red_flags=["overdose"]))
    id = taken["id"]
    assert "is being told" in taken["safety_advice"]["text"]
    first = await called(town, id, before={})
    await town.is_in(id, "crisis_handover")
    await acknowledge(town, first)
    word = {
        "action": "confirm",
        "seen": (await waiting_review(town, id))["decision"],
        "reason": "assessed",
    }
    path = f"/v1/reviews/{id}/decision"
    await town.api.post("triage", path, word, role=Role.CLINICIAN, subject="clinician-1")
    await answered(town, id)

    again = await amend(town, id, {"red_flags": ["overdose"], "notes": "Second overdose today"})
    assert again["safety_advice"]["because"] == ["flag.overdose"]
    second = await called(town, id, before=first)
    await town.is_in(id, "crisis_handover")
    await waiting_review(town, id)
    await acknowledge(town, second)
    await answered(town, id)

    phone = await amend(town, id, {"client": {"contact": {"phone": "555-0199"}}})
    assert phone["safety_advice"] is None and phone["revision"] == 3

    async def decided() -> bool:
        entries = (await town.referral(id))["timeline"]
        return any(each["type"] == "ReferralTriaged" and each["revision"] == 3 for each in entries)

    await eventually(decided, what="triage deciding on the phone number")
    await town.account()
    assert {audience: alerts(town, id, audience) for audience in AUDIENCES} == {
        audience: first[audience] | second[audience] for audience in AUDIENCES
    }
    timeline = (await town.referral(id))["timeline"]
    (last,) = [each for each in timeline if each["type"] == "ReferralTriaged" and each["revision"] == 3]
    assert not [reason for reason in last["reasons"] if "being told" in reason["text"]]
