"""What waits for a clinician is not forgotten, between real processes."""

from typing import Any

import asyncpg

from careroute.demo.endpoints import Delivery
from shared.web.auth import Role
from tests.journey.conftest import Town
from tests.journey.town import referral
from tests.support import eventually


async def in_triage(town: Town, statement: str, *arguments: object) -> None:
    connection = await asyncpg.connect(town.network.database("triage"))
    try:
        await connection.execute(statement, *arguments)
    finally:
        await connection.close()


async def waiting_review(town: Town, id: str) -> Any:
    async def there() -> Any:
        page = await town.api.get("triage", "/v1/reviews?limit=500", role=Role.COORDINATOR)
        return next((review for review in page["reviews"] if review["referral_id"] == id), None)

    return await eventually(there, what="the review")


async def told_clinician(town: Town, id: str, about: str) -> Delivery:
    async def there() -> Delivery | None:
        found = [one for one in town.told(id, "clinician-north") if one.body["about"] == about]
        return found[-1] if found else None

    return await eventually(there, what=f"{about} to the clinician")


async def acknowledge(town: Town, alert: Delivery) -> None:
    path = f"/v1/notices/{alert.body['notice_id']}/acknowledgement"
    await town.api.post("notify", path, role=Role.CLINICIAN, subject="clinician-1")


async def test_a_review_past_its_time_calls_a_clinician_until_one_decides(town: Town) -> None:
    taken = await town.submit(referral(requested_priority="soonish"))
    review = await waiting_review(town, taken["id"])
    await acknowledge(town, await told_clinician(town, taken["id"], "ReviewRequested"))
    await in_triage(
        town,
        "update review set review_by = now() - interval '1 h', due_at = now() where referral_id = $1::uuid",
        taken["id"],
    )
    called = await told_clinician(town, taken["id"], "ReviewOverdue")
    assert called.body["type"] == "alert" and called.genuine
    word = {"action": "confirm", "seen": review["decision"], "reason": "assessed"}
    await town.api.post(
        "triage", f"/v1/reviews/{taken['id']}/decision", word, role=Role.CLINICIAN, subject="clinician-1"
    )

    async def answered() -> bool:
        page = await town.api.get(
            "notify", f"/v1/notices?state=open&referral_id={taken['id']}", role=Role.ONCALL
        )
        return not page["notices"]

    await eventually(answered, what="the decision answering the call")

    async def in_the_timeline() -> bool:
        entries = (await town.referral(taken["id"]))["timeline"]
        return "ReviewOverdue" in [entry["type"] for entry in entries]

    await eventually(in_the_timeline, what="intake hearing of it")


async def test_the_referrer_is_asked_answers_and_the_review_is_back(town: Town) -> None:
    taken = await town.submit(referral(requested_priority="soonish"))
    review = await waiting_review(town, taken["id"])
    word = {
        "action": "ask",
        "seen": review["decision"],
        "reason": "missing_information",
        "questions": ["requested_priority"],
    }
    path = f"/v1/reviews/{taken['id']}/decision"
    await town.api.post("triage", path, word, role=Role.CLINICIAN, subject="clinician-1")
    seen = await town.is_in(taken["id"], "needs_information")
    codes = [each["code"] for each in seen["questions"]]
    assert (seen["fhir_status"], codes) == ("on-hold", ["requested_priority"])

    async def told() -> list[Delivery]:
        return [one for one in town.told(taken["id"], "clinic-1-desk") if "asks you" in one.body["title"]]

    (notice, *_) = await eventually(told, what="asking the clinic")
    assert notice.body["link"].endswith(f"/v1/referrals/{taken['id']}")
    answer = seen["next_actions"][0]
    assert (answer["action"], answer["method"]) == ("give_information", "POST")
    path = answer["href"].removeprefix(town.network.url("intake"))
    priority = {"requested_priority": "urgent"}
    await town.api.post("intake", path, priority, role=Role.CLINIC, clinic="clinic-1")

    async def back() -> bool:
        found = await waiting_review(town, taken["id"])
        return "referrer-answered" in {reason["rule"] for reason in found["reasons"]}

    await eventually(back, what="the review back in the queue")
    await town.is_in(taken["id"], "in_review", "offered", "waitlisted")


async def test_while_the_referrer_is_asked_nothing_counts_as_lost(town: Town) -> None:
    taken = await town.submit(referral(requested_priority="soonish"))
    review = await waiting_review(town, taken["id"])
    word = {"action": "ask", "seen": review["decision"], "reason": "unclear", "questions": ["problems"]}
    path = f"/v1/reviews/{taken['id']}/decision"
    await town.api.post("triage", path, word, role=Role.CLINICIAN, subject="clinician-1")
    await town.is_in(taken["id"], "needs_information")


async def test_at_the_end_nothing_is_lost_or_doubled(town: Town) -> None:
    found = await town.account()
    assert (found.lost, found.doubled, found.unanswered, found.parked) == ([], [], [], [])
