"""A consumer whose library has given up does not keep its partitions for itself."""

import asyncio
import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from careroute.local import service
from careroute.local.errors import ChildEnded
from tests.journey.conftest import Town
from tests.journey.lame import TASKS
from tests.journey.town import crisis
from tests.support import eventually

MANY = 20
"""The embedded broker tells of each partition too early an end, short of its last batch."""

PROJECT = Path(__file__).parents[2]


async def start_triage(town: Town, task: str, *, limit: int = 2) -> None:
    environment = town.stack.settings.environment("triage")
    environment = environment | {"TRIAGE_STANDSTILL_SECONDS": str(limit), "LAME": task}
    application, port = "tests.journey.lame:create_app", town.stack.ports["triage"]
    town.stack.processes.start(service.spec("triage", application, port, environment, PROJECT))
    await asyncio.to_thread(town.stack.wait_ready, "triage", seconds=90)


async def sabotage(town: Town) -> None:
    os.kill(town.stack.processes.pid("triage"), signal.SIGUSR1)

    async def done() -> bool:
        async with httpx.AsyncClient() as client:
            return "sabotage" in (await client.get(f"{town.stack.urls['triage']}/health/live")).text

    await eventually(done, what="the sabotage")


async def calls(town: Town, *ids: str) -> None:
    async def called() -> bool:
        return all(any(one.body["type"] == "alert" for one in town.told(id)) for id in ids)

    await eventually(called, seconds=60, what="calling somebody about each")


@pytest.mark.parametrize("task", TASKS)
async def test_a_consumer_that_stands_still_ends_its_process_and_the_next_one_reads_on(
    town: Town, task: str
) -> None:
    town.stack.processes.stop("triage")
    await start_triage(town, task)
    await calls(town, (await town.submit(crisis()))["id"])
    await sabotage(town)
    ids = [(await town.submit(crisis()))["id"] for _ in range(MANY)]

    async def ended() -> bool:
        try:
            town.stack.processes.check("triage")
        except ChildEnded as error:
            assert "consumer stalled" in str(error)
            return True
        return False

    await eventually(ended, seconds=60, what="the end of triage")
    assert not all(town.told(id) for id in ids)  # what it was just being given, it may have taken
    await start_triage(town, task)
    await calls(town, *ids)


async def test_a_kafka_that_does_not_answer_is_no_standstill(town: Town) -> None:
    town.stack.processes.stop("triage")
    limit = 30  # longer than a group takes to be joined again
    await start_triage(town, "fetching", limit=limit)
    await calls(town, (await town.submit(crisis()))["id"])
    town.kafka.kill()
    left = time.time()

    async def far_past_its_limit() -> bool:
        return await measured_at(town) > left + limit + 5

    await eventually(far_past_its_limit, seconds=60, what="triage turning without Kafka")
    town.kafka.start()
    await calls(town, (await town.submit(crisis()))["id"])
    town.stack.processes.check("triage")


async def measured_at(town: Town) -> float:
    """When triage last counted in its database."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{town.stack.urls['triage']}/metrics")).text
    (line,) = [one for one in text.splitlines() if one.startswith("careroute_measured_at_seconds ")]
    return float(line.split()[1])
