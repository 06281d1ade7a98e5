"""Recipients, rota, notices and acknowledgement over HTTP, on a real database."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from careroute.local.keys import Keys
from careroute.tokens import sign
from services.notify.api import notices, recipients
from services.notify.api import rota as http_rota
from services.notify.db.sealing import Sealer
from services.notify.settings import NotifySettings
from shared.db.postgres import Pool
from shared.vocabulary import Urgency
from shared.web import problems
from shared.web.auth import Role, Verifier
from tests.integration.notify.support import (
    EXPRESS,
    MATCHING,
    Clock,
    escalation,
    notified,
    person,
    published,
    reasons,
    referral,
    take,
)
from tests.support import NewDatabase

Call = Callable[..., Awaitable[httpx.Response]]
E = Urgency.EMERGENCY
SECRET = "a-secret-of-16-or-more"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    keys = Keys(Path(tmp_path_factory.mktemp("network")))
    keys.ensure()
    return keys


async def serve(database: NewDatabase, keys: Keys, *, require_https: bool = False) -> tuple[Pool, Call]:
    pool = await database("notify")
    app = FastAPI()
    app.state.verifier = Verifier.from_file(keys.public_keys)
    sealer = Sealer.from_setting(SecretStr("k1:" + "A" * 43 + "="))
    app.include_router(notices.routes(lambda: pool, lambda: None, NotifySettings().clocks))
    app.include_router(http_rota.routes(lambda: pool, lambda: None))
    app.include_router(
        recipients.routes(
            lambda: pool, lambda: None, sealer, require_https=require_https, waits=timedelta(days=3)
        )
    )
    problems.install(app)

    async def call(
        method: str,
        path: str,
        body: Any = None,
        *,
        role: Role = Role.COORDINATOR,
        subject: str = "coord-1",
        clinic: str | None = None,
    ) -> httpx.Response:
        moment = datetime.now(UTC)
        token = sign(keys.signing_key, role=role, subject=subject, clinic=clinic, now=moment, hours=1)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://notify") as client:
            return await client.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})

    return pool, call


@pytest.fixture
async def notify(database: NewDatabase, keys: Keys) -> tuple[Pool, Call]:
    return await serve(database, keys)


def body(**changes: Any) -> dict[str, Any]:
    channels = [{"kind": "webhook", "url": "http://pager.example/x", "secret": SECRET}]
    return {"audience": "psychiatrist", "regions": ["north"], "channels": channels} | changes


def wheres(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return {error["where"] for error in answer.json()["errors"]}


# ---- recipients --------------------------------------------------------------------------------


async def test_a_recipient_is_added_changed_and_read_without_its_secret(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    first = await call("PUT", "/v1/recipients/psy-1", body())
    again = await call("PUT", "/v1/recipients/psy-1", body(active=False), role=Role.OPS)
    read = await call("GET", "/v1/recipients/psy-1")
    assert [answer.status_code for answer in (first, again, read)] == [201, 200, 200]
    assert read.json() | {"updated_at": ""} == {
        "id": "psy-1",
        "audience": "psychiatrist",
        "regions": ["north"],
        "channels": [{"kind": "webhook", "url": "http://pager.example/x"}],
        "active": False,
        "updated_at": "",
    }
    assert SECRET not in first.text + again.text + read.text
    stored = await pool.fetchval("select secret from channel")
    assert SECRET.encode() not in stored


async def test_a_secret_that_was_not_given_is_made_told_once_and_kept(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    channels = [{"url": "http://a.example/"}, {"url": "http://b.example/", "secret": SECRET}]
    first = (await call("PUT", "/v1/recipients/psy-1", body(channels=channels))).json()
    assert len(first["channels"][0]["secret"]) >= 32 and "secret" not in first["channels"][1]
    kept = await pool.fetchval("select secret from channel where position = 0")
    channels = [{"url": "http://b.example/"}, {"url": "http://a.example/"}]
    second = (await call("PUT", "/v1/recipients/psy-1", body(channels=channels))).json()
    assert not [channel for channel in second["channels"] if "secret" in channel]
    assert await pool.fetchval("select secret from channel where position = 1") == kept


async def test_everything_wrong_is_said_at_once_and_nothing_is_quoted(notify: tuple[Pool, Call]) -> None:
    _, call = notify
    wrong = {
        "audience": "everyone",
        "regions": ["north west"],
        "channels": [{"url": "ftp://secret.example/"}, {"url": "http://x.example/", "secret": "short"}],
        "name": "Dr Grey",
    }
    answer = await call("PUT", "/v1/recipients/psy-1", wrong)
    assert wheres(answer) == {
        "/audience",
        "/regions/0",
        "/channels/0/url",
        "/channels/1/secret",
        "/name",
    }
    for sent in ("everyone", "north west", "secret.example", "short", "Dr Grey"):
        assert sent not in answer.text.replace("too_short", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"audience": "clinic"},  # whose?
        {"audience": "clinic", "clinic": "clinic-1", "regions": ["north"]},
        {"clinic": "clinic-1"},
        {"therapist": str(uuid4())},
        {"audience": "therapist", "therapist": str(uuid4()), "regions": ["north"]},
        {"channels": []},
        {"channels": [{"url": "http://a.example/"}] * 2},
        {"channels": [{"url": "http://a.example/"}], "audience": "ops", "clinic": "x"},
    ],
)
async def test_what_makes_no_sense_is_refused(notify: tuple[Pool, Call], changes: dict[str, Any]) -> None:
    _, call = notify
    assert (await call("PUT", "/v1/recipients/psy-1", body(**changes))).status_code == 422


async def test_a_network_may_insist_on_https(database: NewDatabase, keys: Keys) -> None:
    _, call = await serve(database, keys, require_https=True)
    channels = [{"url": "https://a.example/"}, {"url": "http://b.example/"}]
    assert wheres(await call("PUT", "/v1/recipients/x", body(channels=channels))) == {"/channels/1/url"}
    assert (await call("PUT", "/v1/recipients/x", body(channels=channels[:1]))).status_code == 201


async def test_recipients_are_listed_page_by_page(notify: tuple[Pool, Call]) -> None:
    _, call = notify
    for n in range(5):
        await call("PUT", f"/v1/recipients/psy-{n}", body())
    await call("PUT", "/v1/recipients/ops-1", body(audience="ops"))
    found, after = [], ""
    while True:
        path = f"/v1/recipients?audience=psychiatrist&limit=2{after}"
        page = (await call("GET", path)).json()
        found += [item["id"] for item in page["recipients"]]
        if page["next_cursor"] is None:
            break
        after = f"&cursor={page['next_cursor']}"
    assert found == [f"psy-{n}" for n in range(5)]


async def test_only_those_who_keep_recipients_see_them(notify: tuple[Pool, Call]) -> None:
    _, call = notify
    for role in (Role.CLINIC, Role.CLINICIAN, Role.ONCALL):
        clinic = "clinic-1" if role is Role.CLINIC else None
        for method, path in (("PUT", "/v1/recipients/a"), ("GET", "/v1/recipients/a"), ("PUT", "/v1/rota/a")):
            answer = await call(method, path, body(), role=role, clinic=clinic)
            assert answer.status_code == 403


async def test_notices_wait_for_their_recipient(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    await take(pool, MATCHING, *(referral(clinic="clinic-7").accepted() for _ in range(3)))
    await take(pool, MATCHING, referral(clinic="clinic-8").accepted())
    assert await notified(pool) == []
    listed = (await call("GET", "/v1/notices?state=no_recipient")).json()["notices"]
    assert len(listed) == 4
    await call("PUT", "/v1/recipients/desk", body(audience="clinic", clinic="clinic-7", regions=[]))
    assert await notified(pool) == [("clinic", "desk")] * 3
    await call("PUT", "/v1/recipients/desk", body(audience="clinic", clinic="clinic-7", regions=[]))
    assert len(await notified(pool)) == 3
    assert await reasons(pool) == ["no_recipient"] * 4


async def test_what_waits_for_a_recipient_follows_it_to_its_new_address(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    desk = body(audience="clinic", clinic="clinic-1", regions=[])
    await call("PUT", "/v1/recipients/desk", desk)
    await take(pool, MATCHING, referral().accepted())
    channels = [{"url": "https://moved.example:8443/x", "secret": SECRET}]
    await call("PUT", "/v1/recipients/desk", desk | {"channels": channels})
    assert await pool.fetchval("select line from delivery") == "moved.example:8443"
    assert await pool.fetchval("select next_attempt_at = first_at from delivery")


async def test_an_alert_reaches_whoever_is_put_on_call_at_once(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    await take(pool, EXPRESS, referral().triaged(E))
    await escalation(pool).turn()
    assert await notified(pool) == []
    await call("PUT", "/v1/recipients/psy-1", body())
    await escalation(pool).turn()
    assert await notified(pool) == [("psychiatrist", "psy-1")]


# ---- rota --------------------------------------------------------------------------------------


async def test_a_rota_says_who_is_on_call_at_a_moment(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    for name, audience in (("psy-1", "psychiatrist"), ("psy-2", "psychiatrist"), ("clin-1", "clinician")):
        await person(pool, name, audience)
    day = {"from": "2026-03-02T08:00:00Z", "until": "2026-03-02T20:00:00Z"}
    rota = {"shifts": [{"recipient": "psy-2", "order": 1} | day], "fallback": ["psy-1", "clin-1"]}
    put = await call("PUT", "/v1/rota/north", rota)
    assert put.status_code == 200, put.text
    noon = (await call("GET", "/v1/rota/north?at=2026-03-02T12:00:00Z", role=Role.ONCALL)).json()
    night = (await call("GET", "/v1/rota/north?at=2026-03-02T20:00:00Z", role=Role.CLINICIAN)).json()
    assert noon["on_call"] == {"psychiatrist": ["psy-2", "psy-1"], "clinician": ["clin-1"]}
    assert night["on_call"]["psychiatrist"] == ["psy-1"]
    assert noon["shifts"] == [{"recipient": "psy-2", "order": 1} | day]
    assert noon["fallback"] == ["psy-1", "clin-1"]


async def test_a_rota_names_every_recipient_it_does_not_know(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    await person(pool, "psy-1", "psychiatrist")
    await person(pool, "ops-1", "ops")
    day = {"from": "2026-03-02T08:00:00Z", "until": "2026-03-02T20:00:00Z"}
    rota = {
        "shifts": [{"recipient": "nobody"} | day, {"recipient": "psy-1"} | day],
        "fallback": ["ops-1", "gone"],
    }
    answer = await call("PUT", "/v1/rota/north", rota)
    assert wheres(answer) == {"/shifts/0/recipient", "/fallback/0", "/fallback/1"}
    backwards = {"from": day["until"], "until": day["from"], "recipient": "psy-1"}
    assert (await call("PUT", "/v1/rota/north", {"shifts": [backwards]})).status_code == 422
    assert await pool.fetchval("select count(*) from duty") == 0


# ---- notices -----------------------------------------------------------------------------------


async def alerted(pool: Pool) -> str:
    await person(pool, "psy-1", "psychiatrist")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    await take(pool, EXPRESS, referral().triaged(E))
    return str(await pool.fetchval("select id from notice where is_alert"))


async def test_an_open_alert_is_listed_read_and_acknowledged(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    notice = await alerted(pool)
    listed = (await call("GET", "/v1/notices?state=open", role=Role.OPS)).json()
    assert [item["id"] for item in listed["notices"]] == [notice] and listed["next_cursor"] is None
    seen = (await call("GET", f"/v1/notices/{notice}", role=Role.ONCALL)).json()
    assert (seen["state"], seen["audience"], seen["urgency"]) == ("open", "psychiatrist", "emergency")
    assert [(d["recipient"], d["step"], d["state"]) for d in seen["deliveries"]] == [("psy-1", 1, "waiting")]

    path = f"/v1/notices/{notice}/acknowledgement"
    first = await call("POST", path, role=Role.ONCALL, subject="psy-1")
    second = await call("POST", path, role=Role.CLINICIAN, subject="clin-9")
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert first.json() | {"acknowledged_at": "", "referral_id": ""} == {
        "notice_id": notice,
        "referral_id": "",
        "state": "acknowledged",
        "acknowledged_by": "psy-1",
        "acknowledged_at": "",
        "taken_over": None,
        "outcome_due_at": second.json()["outcome_due_at"],
    }
    assert first.json()["outcome_due_at"]
    assert (await call("GET", "/v1/notices?state=open")).json()["notices"] == []
    assert len((await call("GET", "/v1/notices?state=acknowledged")).json()["notices"]) == 1


async def test_parallel_acknowledgements_agree_on_who_was_first(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    notice = await alerted(pool)
    answers = await asyncio.gather(
        *(
            call("POST", f"/v1/notices/{notice}/acknowledgement", role=Role.ONCALL, subject=f"psy-{n}")
            for n in range(10)
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["acknowledged_by"] for answer in answers}) == 1
    assert [fact.type for fact in await published(pool)] == ["NoticeAcknowledged"]


async def test_acknowledging_an_alarm_acknowledges_its_alert(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    alert = await alerted(pool)
    clock = Clock()
    await person(pool, "coord-1", "coordinator")
    clock.moves(16)
    await escalation(pool, clock).turn()
    alarm = await pool.fetchval("select id from notice where audience = 'coordinator'")
    refused = await call("POST", f"/v1/notices/{alarm}/acknowledgement")
    assert (refused.status_code, refused.json()["code"]) == (409, "takeover_needed")
    takeover = {"takeover": True, "reason": "reached_by_other_means"}
    answer = await call("POST", f"/v1/notices/{alarm}/acknowledgement", takeover)
    assert answer.json()["taken_over"] == "reached_by_other_means"
    assert answer.json()["notice_id"] == alert and answer.json()["acknowledged_by"] == "coord-1"
    assert await pool.fetchval("select count(*) from unanswered_alert") == 0


async def test_what_cannot_be_acknowledged_says_why(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    alert = await alerted(pool)
    notice = await pool.fetchval("select id from notice where not is_alert")
    for path, role, subject, status in (
        (f"{notice}", Role.ONCALL, "psy-1", 409),
        (f"{uuid4()}", Role.ONCALL, "psy-1", 404),
        ("not-an-id", Role.ONCALL, "psy-1", 422),
        (alert, Role.ONCALL, "Dr. Meredith Grey", 403),
        (alert, Role.OPS, "ops-1", 403),
    ):
        answer = await call("POST", f"/v1/notices/{path}/acknowledgement", role=role, subject=subject)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert "Meredith" not in answer.text
    assert await pool.fetchval("select count(*) from unanswered_alert") == 1


async def test_a_clinic_sees_what_was_told_to_itself_alone(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    alert = await alerted(pool)
    mine = await pool.fetchval("select id from notice where audience = 'clinic'")
    assert (await call("GET", f"/v1/notices/{mine}", role=Role.CLINIC, clinic="clinic-1")).status_code == 200
    for path, clinic in ((mine, "clinic-2"), (alert, "clinic-1"), (uuid4(), "clinic-1")):
        answer = await call("GET", f"/v1/notices/{path}", role=Role.CLINIC, clinic=clinic)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await call("GET", "/v1/notices", role=Role.CLINIC, clinic="clinic-1")).status_code == 403


async def test_notices_are_listed_by_referral_newest_first_page_by_page(notify: tuple[Pool, Call]) -> None:
    pool, call = notify
    about = referral()
    await person(pool, "desk", "clinic", clinic="clinic-1")
    for _ in range(5):
        await take(pool, MATCHING, about.accepted(), referral().accepted())
    found: list[str] = []
    after = ""
    while True:
        page = (
            await call("GET", f"/v1/notices?referral_id={about.referral}&limit=2{after}", role=Role.OPS)
        ).json()
        found += [item["id"] for item in page["notices"]]
        if page["next_cursor"] is None:
            break
        after = f"&cursor={page['next_cursor']}"
    assert found == sorted(found, reverse=True) and len(set(found)) == 5
