"""Who is called for a region that nobody knows or that has nobody on call, what a coordinator is asked, and
rotas and recipients in the network's codes."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from careroute.local.keys import Keys
from careroute.tokens import sign
from services.notify.api import recipients, rota
from services.notify.app import create_app
from services.notify.db import network_codes
from services.notify.db.sealing import Sealer
from services.notify.handlers import triage
from shared.db.postgres import Pool, transaction
from shared.network import Network
from shared.vocabulary import Urgency
from shared.web import problems
from shared.web.auth import Role, Verifier
from tests.integration.notify.support import (
    CLOCKS,
    EXPRESS,
    ROUTINE,
    Clock,
    escalation,
    notified,
    on_duty,
    person,
    reasons,
    referral,
    take,
)
from tests.support import NewDatabase

Call = Callable[..., Awaitable[httpx.Response]]

NETWORK = Network.model_validate(
    {
        "regions": {"otter": {"aliases": ["Otter Valley"]}, "heron": {}},
        "clinics": {"clinic-riverside": {"aliases": ["Riverside Family Practice"]}},
    }
)
IN_NETWORK = partial(triage.handle, group="notify-express", clocks=CLOCKS, network=NETWORK)
E = Urgency.EMERGENCY


@pytest.fixture
async def pool(database: NewDatabase) -> Pool:
    return await database("notify")


async def psychiatrists(pool: Pool, region: str) -> list[str]:
    """Who is told of an emergency there, in the order in which they are."""
    await take(pool, EXPRESS, referral(region=region).triaged(E))
    clock = Clock()
    for _ in range(2):
        clock.moves(6)
        await escalation(pool, clock).turn()
    found = [recipient for audience, recipient in await notified(pool) if audience == "psychiatrist"]
    return list(dict.fromkeys(found))


# ---- who is called ---------------------------------------------------------------------------------


async def test_an_unknown_region_calls_the_rota_of_the_network(pool: Pool) -> None:
    for name, region in (("p-otter", "otter"), ("p-heron", "heron")):
        await person(pool, name, "psychiatrist", regions=[region])
    await person(pool, "p-any", "psychiatrist")
    await on_duty(pool, "p-heron", "p-any", region="network")
    assert await psychiatrists(pool, "network") == ["p-heron", "p-any"]
    assert "nobody_on_call" not in await reasons(pool)


async def test_without_a_rota_of_the_network_those_of_every_region_are_called(pool: Pool) -> None:
    await person(pool, "p-otter", "psychiatrist", regions=["otter"])
    await person(pool, "p-any", "psychiatrist")
    assert await psychiatrists(pool, "network") == ["p-any"]


async def test_where_nobody_covers_every_region_everybody_is_called(pool: Pool) -> None:
    await person(pool, "p-heron", "psychiatrist", regions=["heron"])
    await person(pool, "p-otter", "psychiatrist", regions=["otter"])
    assert await psychiatrists(pool, "narnia") == ["p-heron", "p-otter"]
    assert "nobody_on_call" not in await reasons(pool)


async def test_a_known_region_without_anybody_calls_the_network_too(pool: Pool) -> None:
    await person(pool, "p-otter", "psychiatrist", regions=["otter"])
    await on_duty(pool, "p-otter", region="network")
    assert await psychiatrists(pool, "heron") == ["p-otter"]


async def test_a_region_with_people_of_its_own_calls_nobody_else(pool: Pool) -> None:
    await person(pool, "p-otter", "psychiatrist", regions=["otter"])
    await person(pool, "p-network", "psychiatrist", regions=["heron"])
    await on_duty(pool, "p-network", region="network")
    await take(pool, EXPRESS, referral(region="otter").triaged(E))
    assert await notified(pool) == [("psychiatrist", "p-otter")]


async def test_a_hole_in_a_rota_calls_the_network_and_none_who_is_off_duty(pool: Pool) -> None:
    await person(pool, "p-otter", "psychiatrist", regions=["otter"])
    await person(pool, "p-off", "psychiatrist")
    await person(pool, "p-any", "psychiatrist")
    await shift(pool, "otter", "p-otter", "p-off", begins=timedelta(hours=5))
    await take(pool, EXPRESS, referral(region="otter").triaged(E))
    assert await notified(pool) == [("psychiatrist", "p-any")]


async def test_a_hole_in_every_rota_is_an_alarm_that_reaches_everybody(pool: Pool) -> None:
    for name, audience in (("p-otter", "psychiatrist"), ("coord", "coordinator"), ("ops", "ops")):
        await person(pool, name, audience, regions=["otter"])
    await shift(pool, "otter", "p-otter", begins=timedelta(hours=5))
    await take(pool, EXPRESS, referral(region="otter").triaged(E))
    assert "nobody_on_call" in await reasons(pool)
    assert sorted(await notified(pool)) == [
        ("coordinator", "coord"),
        ("ops", "ops"),
        ("psychiatrist", "p-otter"),
    ]


async def test_whom_a_rota_names_is_called_wherever_else_they_work(pool: Pool) -> None:
    await person(pool, "p-heron", "psychiatrist", regions=["heron"])
    await on_duty(pool, "p-heron", region="otter")
    await take(pool, EXPRESS, referral(region="otter").triaged(E))
    assert await notified(pool) == [("psychiatrist", "p-heron")]


async def test_truly_nobody_is_an_alarm_to_coordinators_and_ops_of_any_region(pool: Pool) -> None:
    for name, audience in (("coord", "coordinator"), ("ops", "ops")):
        await person(pool, name, audience, regions=["heron"])
    await take(pool, EXPRESS, referral(region="network").triaged(E))
    assert "nobody_on_call" in await reasons(pool)
    assert sorted(await notified(pool)) == [("coordinator", "coord"), ("ops", "ops")]


async def shift(pool: Pool, region: str, *names: str, begins: timedelta) -> None:
    """These are on duty for an hour that is still to come."""
    start = datetime.now(UTC) + begins
    for name in names:
        await pool.execute(
            "insert into duty (region, recipient, place, starts_at, ends_at) values ($1, $2, 1, $3, $4)",
            region,
            name,
            start,
            start + timedelta(hours=1),
        )


# ---- a coordinator is asked ------------------------------------------------------------------------


async def asked(pool: Pool) -> list[str]:
    rows = await pool.fetch(
        "select text from notice where audience = 'coordinator' and answers is null order by id"
    )
    return [row["text"] for row in rows]


async def test_a_coordinator_is_asked_once_about_what_nobody_knows(pool: Pool) -> None:
    await person(pool, "coord", "coordinator", regions=["heron"])
    await person(pool, "clinic", "clinic", clinic="clinic-1")
    about = referral(region="network")
    terms = {"not_understood": ("red_flag", "region", "payer")}
    first = about.triaged(Urgency.ROUTINE).model_copy(update=terms)
    again = about.triaged(Urgency.SOON, 2).model_copy(update=terms)
    await take(pool, ROUTINE, first)
    await take(pool, ROUTINE, again)
    (text,) = await asked(pool)
    assert "the region and the payer" in text and "on-call" in text
    assert ("coordinator", "coord") in await notified(pool)

    more = about.triaged(Urgency.SOON, 3).model_copy(update={"not_understood": ("payer", "community")})
    await take(pool, ROUTINE, more)
    assert len(await asked(pool)) == 2 and "a community that is asked for" in (await asked(pool))[1]

    await take(pool, ROUTINE, about.triaged(Urgency.SOON, 4))
    await take(
        pool, ROUTINE, about.triaged(Urgency.SOON, 5).model_copy(update={"not_understood": ("payer",)})
    )
    assert len(await asked(pool)) == 3  # it was mended, and is unknown anew


async def test_a_referral_that_is_held_for_review_is_asked_about_at_once(pool: Pool) -> None:
    await person(pool, "coord", "coordinator")
    about = referral(region="network")
    review = about.review(Urgency.SOON, holds=True).model_copy(update={"not_understood": ("region",)})
    await take(pool, ROUTINE, review)
    longer = about.review(Urgency.SOON, 2).model_copy(update={"asks_again": True})
    await take(pool, ROUTINE, longer)
    decided = about.triaged(Urgency.SOON, 3, by="clin-1").model_copy(update={"not_understood": ("region",)})
    await take(pool, ROUTINE, decided)
    assert len(await asked(pool)) == 1


async def test_what_only_clinicians_can_mend_is_not_asked_of_coordinators(pool: Pool) -> None:
    fact = referral().triaged(Urgency.ROUTINE).model_copy(update={"not_understood": ("red_flag", "problem")})
    await take(pool, ROUTINE, fact)
    assert await asked(pool) == []


# ---- what is entered -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    keys = Keys(Path(tmp_path_factory.mktemp("network")))
    keys.ensure()
    return keys


@pytest.fixture
def call(pool: Pool, keys: Keys) -> Call:
    app = FastAPI()
    app.state.verifier = Verifier.from_file(keys.public_keys)
    app.include_router(rota.routes(lambda: pool, lambda: None, NETWORK))
    app.include_router(
        recipients.routes(
            lambda: pool,
            lambda: None,
            Sealer({}),
            require_https=False,
            waits=timedelta(days=3),
            network=NETWORK,
        )
    )
    problems.install(app)

    async def call(method: str, path: str, body: Any = None) -> httpx.Response:
        now = datetime.now(UTC)
        token = sign(keys.signing_key, role=Role.COORDINATOR, subject="c-1", clinic=None, now=now, hours=1)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://notify") as client:
            return await client.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})

    return call


def recipient(audience: str, **more: Any) -> dict[str, Any]:
    return {"audience": audience, "channels": [{"url": "https://pager.example/"}]} | more


async def test_a_rota_is_kept_under_the_code_of_its_region(pool: Pool, call: Call) -> None:
    await person(pool, "p-otter", "psychiatrist", regions=["otter"])
    answer = await call("PUT", "/v1/rota/OTTER-valley", {"fallback": ["p-otter"]})
    assert (answer.status_code, answer.json()["region"]) == (200, "otter")
    read = (await call("GET", "/v1/rota/Otter")).json()
    assert (read["fallback"], read["on_call"]["psychiatrist"]) == (["p-otter"], ["p-otter"])


async def test_a_rota_of_a_region_that_nobody_knows_is_refused(pool: Pool, call: Call) -> None:
    answer = await call("PUT", "/v1/rota/narnia", {})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["where"], error["code"]) == ("path.region", "unknown_region")
    assert "Known are: heron, otter." in error["what"] and "`network`" in error["what"]
    assert "narnia" not in answer.text
    assert await pool.fetchval("select count(*) from duty") == 0


async def test_the_rota_of_the_network_is_one_of_its_own_and_is_shown_where_it_answers(
    pool: Pool, call: Call
) -> None:
    await person(pool, "p-otter", "psychiatrist", regions=["otter"])
    answer = await call("PUT", "/v1/rota/network", {"fallback": ["p-otter"]})
    assert (answer.status_code, answer.json()["fallback"]) == (200, ["p-otter"])
    heron = (await call("GET", "/v1/rota/heron")).json()
    assert (heron["fallback"], heron["on_call"]["psychiatrist"]) == ([], ["p-otter"])


async def test_a_new_rota_of_the_network_is_looked_at_for_alerts_of_any_region(
    pool: Pool, call: Call
) -> None:
    await take(pool, EXPRESS, referral(region="narnia").triaged(E))
    assert "nobody_on_call" in await reasons(pool)
    await person(pool, "p-otter", "psychiatrist", regions=["otter"])
    await call("PUT", "/v1/rota/network", {"fallback": ["p-otter"]})
    due = await pool.fetchval("select next_step_at <= now() from alert")
    assert due is True


async def test_a_recipient_is_kept_in_the_codes_of_the_network(call: Call) -> None:
    body = recipient("psychiatrist", regions=["OTTER", "otter", "Heron", "network"])
    assert (await call("PUT", "/v1/recipients/p", body)).json()["regions"] == ["heron", "network", "otter"]
    body = recipient("clinic", clinic="Clinic-Riverside")
    assert (await call("PUT", "/v1/recipients/c", body)).json()["clinic"] == "clinic-riverside"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (
            recipient("psychiatrist", regions=["otter", "narnia", "mordor"]),
            [("/regions/1", "unknown_region"), ("/regions/2", "unknown_region")],
        ),
        (recipient("clinic", clinic="clinic-1"), [("/clinic", "unknown_clinic")]),
    ],
    ids=["regions", "a clinic"],
)
async def test_a_recipient_of_what_nobody_knows_is_refused(
    pool: Pool, call: Call, body: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    answer = await call("PUT", "/v1/recipients/somebody", body)
    assert answer.status_code == 422
    assert [(error["where"], error["code"]) for error in answer.json()["errors"]] == errors
    assert await pool.fetchval("select count(*) from recipient") == 0


# ---- what is on its way, and what is stored --------------------------------------------------------


async def test_a_fact_that_names_a_region_in_the_senders_way_calls_its_own_people(pool: Pool) -> None:
    await person(pool, "p-otter", "psychiatrist", regions=["otter"])
    await person(pool, "p-heron", "psychiatrist", regions=["heron"])
    await take(pool, IN_NETWORK, referral(region="Otter").triaged(E))
    assert await notified(pool) == [("psychiatrist", "p-otter")]
    assert await pool.fetchval("select region from notice") == "otter"


async def test_a_service_puts_it_in_order_when_it_starts(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "network.toml"
    file.write_text("[regions]\notter = {}\n")
    monkeypatch.setenv("CAREROUTE_NETWORK_FILE", str(file))
    await person(pool, "p-otter", "psychiatrist", regions=["Otter"])
    await create_app().state.service.run_at_start(pool)
    assert await pool.fetchval("select regions from recipient") == ["otter"]


async def test_what_was_stored_before_the_network_file_is_put_in_order(pool: Pool) -> None:
    """The rota, the people and an alert that is still open stay together."""
    await person(pool, "p-otter", "psychiatrist", regions=["Otter", "otter-valley", "narnia"])
    await person(pool, "clinic", "clinic", clinic="CLINIC-riverside")
    await on_duty(pool, "p-otter", region="Otter")
    await take(pool, EXPRESS, referral(region="Otter", clinic="clinic-riverside").triaged(E))
    for _ in range(2):
        async with transaction(pool) as connection:
            await network_codes.put_in_order(connection, NETWORK)
    assert await pool.fetchval("select regions from recipient where id = 'p-otter'") == ["narnia", "otter"]
    assert await pool.fetchval("select clinic from recipient where id = 'clinic'") == "clinic-riverside"
    assert [row["region"] for row in await pool.fetch("select region from duty")] == ["otter"]
    alert = await pool.fetchrow("select region from notice where is_alert")
    assert alert and alert["region"] == "otter"
    clock = Clock()
    clock.moves(16)
    await escalation(pool, clock).turn()
    assert "nobody_on_call" not in await reasons(pool)
