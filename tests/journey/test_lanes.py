"""Crises have processes of their own where an operator says so, and pass whatever is routine."""

import asyncio
from pathlib import Path

import httpx

from careroute.local import service
from tests.journey.conftest import Town
from tests.journey.town import crisis, referral
from tests.support import eventually

PROJECT = Path(__file__).parents[2]
SPLIT = ("triage", "notify")


async def start_again(town: Town, *, lanes: str) -> None:
    town.stack.processes.stop(*SPLIT)
    for name in SPLIT:
        environment = town.stack.settings.environment(name) | {"CAREROUTE_LANES": lanes}
        application = f"services.{name}.app:create_app"
        town.stack.processes.start(
            service.spec(name, application, town.stack.ports[name], environment, PROJECT)
        )
    await asyncio.to_thread(town.stack.wait_ready, *SPLIT, seconds=90)


async def leads(town: Town, name: str) -> dict[str, float]:
    """By lane, what the alert NoRelay looks at."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{town.stack.urls[name]}/metrics")).text
    rows = [line.split() for line in text.splitlines() if line.startswith("careroute_relay_leads{")]
    return {labels.split('"')[1]: float(value) for labels, value in rows}


async def test_a_crisis_passes_while_everything_routine_stands_still(town: Town) -> None:
    await start_again(town, lanes="express")
    waiting = await town.submit(referral())
    urgent = await town.submit(crisis())

    async def called() -> object:
        return [one for one in town.told(urgent["id"]) if one.body["type"] == "alert"]

    await eventually(called, what="calling somebody")
    for name in SPLIT:
        assert await leads(town, name) == {"express": 1, "routine": 0}, "nobody sends what is routine: a page"
    assert (await town.referral(waiting["id"]))["state"] == "received"
    assert not town.told(waiting["id"])

    await start_again(town, lanes="routine")
    await town.is_in(waiting["id"], "offered")
    late = await town.submit(crisis())
    await town.is_in(waiting["id"], "offered")
    assert not town.told(late["id"]), "only a process of the express lane calls"

    await start_again(town, lanes="both")
    await eventually(lambda: _told(town, late["id"]), what="calling somebody once there is who calls")


async def _told(town: Town, id: str) -> object:
    return town.told(id)
