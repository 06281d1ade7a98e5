"""What operators and coordinators do meanwhile, again until it is done."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

import httpx

from careroute.client import Api
from careroute.local import SERVICES
from careroute.local.errors import StackError
from careroute.network import Network
from careroute.replay import replay
from shared.db.postgres import TRANSIENT
from shared.ids import now
from shared.web.auth import Role
from tests.journey.town import therapist

AWAY: Final = (httpx.HTTPError, StackError, *TRANSIENT)
THERAPISTS: Final = 40


async def patiently(step: Callable[[], Awaitable[object]], *, seconds: float = 120) -> None:
    """Whoever is away comes back in this time; else what they said last is raised."""
    until = time.monotonic() + seconds
    while True:
        try:
            await step()
            return
        except AWAY:
            if time.monotonic() > until:
                raise
        await asyncio.sleep(0.3)


async def change_roster(api: Api, seed: str) -> None:
    """Some have more or fewer places than before, some stop for now."""
    dice = random.Random(f"roster {seed}")
    for number in dice.sample(range(1, THERAPISTS + 1), 4):
        entry = therapist(number, places_total=dice.randrange(50, 300, 10), active=dice.random() < 0.9)
        await patiently(partial(_put, api, f"/v1/therapists/{UUID(int=number)}", entry))


async def _put(api: Api, path: str, entry: dict[str, Any]) -> None:
    """What was read is what is changed; when somebody was faster, once more."""
    read = await api.get("matching", path, role=Role.COORDINATOR)
    headers = {"If-Match": f'"{read["version"]}"'}
    answer = await api.call("PUT", "matching", path, role=Role.COORDINATOR, headers=headers, json=entry)
    if not answer.is_success:
        raise StackError(f"PUT {path} answered {answer.status_code}: {answer.text}")


async def send_again(network: Network) -> None:
    """As `careroute replay --since 20s`: whatever was said in this time arrives twice."""
    since = now() - timedelta(seconds=20)
    await patiently(lambda: replay(network, SERVICES, since))


async def send_all_again(network: Network) -> None:
    """Every event arrives twice, whatever the clocks of the services say."""
    await patiently(lambda: replay(network, SERVICES, now() - timedelta(days=1)))


async def act(steps: Sequence[Callable[[], Awaitable[object]]]) -> None:
    """People go on answering, whoever is away meanwhile."""

    async def again(step: Callable[[], Awaitable[object]]) -> None:
        while True:
            await patiently(step)
            await asyncio.sleep(0.3)

    await asyncio.gather(*(again(step) for step in steps))
