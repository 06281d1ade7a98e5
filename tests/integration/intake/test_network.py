"""A region, payer or community that the network does not know is taken, kept sealed, and shown to whoever may
read the form; it is on no topic and in no other column."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.intake.api.request_examples import REFERRAL
from shared.events import IntakeFact, ReferralAmended, ReferralSubmitted, ScreeningRecorded
from shared.ids import now
from shared.web.auth import Role
from tests.integration.intake.support import Intake, bearer, intake_on
from tests.support import NewDatabase

NETWORK_FILE = Path(__file__).parents[3] / "examples" / "network.toml"
TODAY = now().date().isoformat()
PREFERENCES = [
    {"criterion": "culture", "values": ["atlantean", "LATINX"], "strength": "wish"},
    {"criterion": "faith", "values": ["jedi"], "strength": "must"},
    {"criterion": "distance_km", "values": ["15"], "strength": "wish"},
]
UNKNOWN = REFERRAL | {
    "client": REFERRAL["client"] | {"region": "narnia, behind the wardrobe"},
    "payer": "dragon gold",
    "preferences": PREFERENCES,
}
WORDS = ("narnia", "wardrobe", "dragon", "atlantean", "jedi")


@pytest.fixture
async def intake(database: NewDatabase) -> AsyncIterator[Intake]:
    async with intake_on(await database("intake"), CAREROUTE_NETWORK_FILE=NETWORK_FILE) as intake:
        yield intake


async def form(intake: Intake, referral_id: str) -> dict[str, Any]:
    answer = await intake.call("GET", f"/v1/referrals/{referral_id}/identity", role=Role.CLINICIAN)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["referral"]
    return found


def warned(answer: dict[str, Any]) -> list[tuple[str, str]]:
    found = [(warning["where"], warning["code"]) for warning in answer["warnings"]]
    return [(where, code) for where, code in found if code.startswith("unknown_")]


async def test_it_is_taken_with_a_warning_and_travels_as_the_network(intake: Intake) -> None:
    answer = await intake.submit(UNKNOWN)
    assert warned(answer) == [
        ("/client/region", "unknown_region"),
        ("/payer", "unknown_payer"),
        ("/preferences/0/values/0", "unknown_community"),
        ("/preferences/1/values/0", "unknown_community"),
    ]
    (fact,) = await intake.said()
    assert isinstance(fact, ReferralSubmitted)
    assert (fact.region, fact.case.payer) == ("network", None)
    assert fact.case.not_understood == ("region", "payer", "community")
    assert [(w.criterion, w.values, w.must) for w in fact.case.wishes] == [
        ("culture", ("latino",), False),
        ("faith", ("not_understood",), True),
        ("distance_km", ("15",), False),
    ]


async def test_it_is_shown_as_it_was_written_and_kept_sealed(intake: Intake) -> None:
    answer = await intake.submit(UNKNOWN)
    shown = await form(intake, answer["id"])
    assert shown["client"]["region"] == UNKNOWN["client"]["region"]
    assert (shown["payer"], shown["preferences"]) == (UNKNOWN["payer"], PREFERENCES)
    rows = [
        str(dict(row))
        for table in ("referral", "timeline", "outbox", "idempotency")
        for row in await intake.pool.fetch(f"select * from {table}")
    ]
    for word in WORDS:
        assert word not in "".join(rows) and word not in json.dumps(answer)


async def test_an_amendment_of_something_else_loses_nothing_and_warns_again(intake: Intake) -> None:
    taken = await intake.submit(UNKNOWN)
    answer = await intake.call("POST", f"/v1/referrals/{taken['id']}/amendments", {"notes": "Called twice."})
    assert len(warned(answer.json())) == 4
    shown = await form(intake, taken["id"])
    assert shown["client"]["region"] == UNKNOWN["client"]["region"]
    assert (shown["payer"], shown["preferences"]) == (UNKNOWN["payer"], PREFERENCES)
    fact = (await intake.said())[-1]
    assert isinstance(fact, ReferralAmended) and fact.region == "network"
    assert fact.case.not_understood == ("region", "payer", "community")


async def test_an_amendment_mends_it(intake: Intake) -> None:
    taken = await intake.submit(UNKNOWN)
    patch = {"client": {"region": "Otter Valley"}, "payer": "cash", "preferences": None}
    answer = await intake.call("POST", f"/v1/referrals/{taken['id']}/amendments", patch)
    assert warned(answer.json()) == []
    fact = (await intake.said())[-1]
    assert isinstance(fact, ReferralAmended)
    assert (fact.region, fact.case.payer, fact.case.not_understood) == ("otter", "self_pay", ())
    shown = await form(intake, taken["id"])
    assert (shown["client"]["region"], shown["payer"], shown["preferences"]) == ("otter", "self_pay", [])


async def test_sheets_recorded_later_say_what_is_still_not_understood(intake: Intake) -> None:
    taken = await intake.submit(UNKNOWN)
    sheets = {"screenings": [{"instrument": "gad7", "taken_on": TODAY, "answers": [0] * 7}]}
    await intake.call("POST", f"/v1/referrals/{taken['id']}/screenings", sheets)
    fact = (await intake.said())[-1]
    assert isinstance(fact, ScreeningRecorded) and fact.region == "network"
    assert fact.case.not_understood == ("region", "payer", "community")


async def test_the_notes_need_no_second_reading_because_a_code_is_unknown(intake: Intake) -> None:
    taken = await intake.submit(UNKNOWN | {"read_notes": True})
    await intake.call("POST", f"/v1/referrals/{taken['id']}/amendments", {"payer": "self_pay"})
    fact = (await intake.said())[-1]
    assert isinstance(fact, ReferralAmended) and fact.case.read_notes == 1


async def test_a_batch_line_is_read_alike(intake: Intake) -> None:
    answer = await intake.http.post(
        "/v1/referrals/batch",
        content=json.dumps(UNKNOWN | {"idempotency_key": "k-1"}) + "\n",
        headers=bearer() | {"Content-Type": "application/x-ndjson"},
    )
    assert len(warned(json.loads(answer.text)["referral"])) == 4
    (fact,) = await intake.said()
    assert isinstance(fact, IntakeFact) and fact.region == "network"


async def test_without_a_network_file_a_region_in_words_is_taken_and_stays_here(
    database: NewDatabase,
) -> None:
    async with intake_on(await database("intake")) as intake:
        answer = await intake.submit(UNKNOWN)
        assert ("/client/region", "unknown_region") in warned(answer)
        (fact,) = await intake.said()
        assert isinstance(fact, ReferralSubmitted) and fact.region == "network"
        assert "wardrobe" not in fact.model_dump_json() and "gold" not in fact.model_dump_json()
        assert (await form(intake, answer["id"]))["client"]["region"] == UNKNOWN["client"]["region"]
        known = await intake.submit(REFERRAL | {"client": REFERRAL["client"] | {"region": "narnia"}})
        assert warned(known) == []
