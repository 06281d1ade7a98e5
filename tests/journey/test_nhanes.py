"""Real answer sheets, refused and missing answers included, through all four services."""

import json

import pytest

from shared.web.auth import Role
from tests.journey.conftest import Town
from tests.journey.nhanes import SHEETS, answer, line, rows
from tests.support import eventually

SAME_DAY = ("emergency", "very_urgent", "urgent")

pytestmark = pytest.mark.skipif(not SHEETS.exists(), reason=f"{SHEETS.name} is not on this machine")


async def test_the_first_500_real_sheets(town: Town) -> None:
    people = rows()[:500]
    content = "\n".join(json.dumps(line(row)) for row in people)
    response = await town.api.call(
        "POST",
        "intake",
        "/v1/referrals/batch",
        role=Role.CLINIC,
        clinic="clinic-2",
        headers={"Content-Type": "application/x-ndjson"},
        content=content,
    )
    answers = [json.loads(text) for text in response.text.splitlines()]
    assert [one["status"] for one in answers] == [202] * len(people)
    ids = [one["referral"]["id"] for one in answers]
    assert len(set(ids)) == len(people)

    async def all_triaged() -> dict[str, str] | None:
        found: dict[str, str] = {}
        cursor = ""
        while True:
            path = f"/v1/referrals?limit=200{cursor}"
            page = await town.api.get("intake", path, role=Role.CLINIC, clinic="clinic-2")
            found |= {one["id"]: one["urgency"] for one in page["referrals"] if one["urgency"]}
            if not page["next_cursor"]:
                return found if len(found) >= len(people) else None
            cursor = f"&cursor={page['next_cursor']}"

    urgency = await eventually(all_triaged, seconds=60, what="triaging 500")
    ninth = {id: answer(row["DPQ090"]) for id, row in zip(ids, people, strict=True)}
    positive = [id for id, value in ninth.items() if isinstance(value, int) and value > 0]
    not_assessed = [id for id, value in ninth.items() if not isinstance(value, int)]
    assert positive and not_assessed, "the sample must hold both kinds, or this shows nothing"
    assert {urgency[id] for id in positive} <= set(SAME_DAY)
    assert not [id for id in not_assessed if urgency[id] in ("routine", "preventive")]
    for id in [*positive[:3], *not_assessed[:3]]:
        reasons = [
            reason["rule"] for entry in (await town.referral(id))["timeline"] for reason in entry["reasons"]
        ]
        expected = "phq9-item9" if id in positive else "safety-not-assessed"
        assert expected in reasons
    found = await town.account()
    assert (found.lost, found.doubled, found.double_booked, found.parked) == ([], [], [], [])
