"""The four services as processes, on a real broker and a real Postgres, with people's endpoints listening."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from careroute.checks import reconcile
from careroute.checks.reconcile import Account
from careroute.client import Api
from careroute.demo.endpoints import Delivery, Endpoints
from careroute.local import SERVICES, Stack
from careroute.local.environment import database_variable
from careroute.local.waiting import run
from careroute.network import Network, find
from shared.web.auth import Role
from tests import databases
from tests.brokers import Embedded, Kafka
from tests.databases import Postgres
from tests.journey.town import load
from tests.support import eventually

OURS = ("KAFKA_", "INTAKE_", "TRIAGE_", "MATCHING_", "NOTIFY_", "CAREROUTE_")
QUICK = {
    "NOTIFY_FIRST_PAUSE_SECONDS": "0.5",
    "NOTIFY_EXPRESS_FIRST_PAUSE_SECONDS": "0.2",
    "LOG_LEVEL": "INFO",
}


@dataclass
class Town:
    """A small network at work: its processes, its API, its people's endpoints."""

    stack: Stack
    kafka: Kafka
    network: Network
    api: Api
    endpoints: Endpoints

    async def submit(self, body: dict[str, Any], *, clinic: str = "clinic-1", key: str | None = None) -> Any:
        headers = {"Idempotency-Key": key} if key else None
        return await self.api.post(
            "intake", "/v1/referrals", body, role=Role.CLINIC, clinic=clinic, headers=headers
        )

    async def referral(self, id: str) -> Any:
        return await self.api.get("intake", f"/v1/referrals/{id}", role=Role.COORDINATOR)

    async def is_in(self, id: str, *states: str, seconds: float = 30) -> Any:
        """The referral, once it is in one of these states."""

        async def there() -> Any:
            seen = await self.referral(id)
            return seen if seen["state"] in states else None

        return await eventually(there, seconds=seconds, what=f"{id} in {states}")

    def told(self, id: str, recipient: str | None = None) -> list[Delivery]:
        """The webhooks about a referral, in order."""
        return [
            one
            for one in self.endpoints.deliveries
            if one.body["referral_id"] == id and recipient in (None, one.recipient)
        ]

    async def account(self) -> Account:
        """Reconciled, once nothing is on its way any more, or a minute after anything last moved."""
        seen, until = (-1, -1), 0.0
        while True:
            found = await reconcile.account(self.network, grace_seconds=0)
            left = len(found.lost) + len(found.waiting_to_be_sent)
            if seen != (left, len(self.endpoints.deliveries)):
                seen, until = (left, len(self.endpoints.deliveries)), time.monotonic() + 60
            if not left or time.monotonic() > until:
                return found
            await asyncio.sleep(0.2)


@pytest.fixture(scope="module")
def outer_databases(outer_postgres: Postgres | None) -> Iterator[dict[str, str]]:
    """By variable, one for each service, empty; none: the stack has an embedded Postgres."""
    if outer_postgres is None:
        yield {}
        return
    url = outer_postgres.admin_url
    names = {service: run(databases.create(url, service)) for service in SERVICES}
    yield {database_variable(service): databases.at(url, name) for service, name in names.items()}
    for name in names.values():
        run(databases.drop(url, name))


@pytest.fixture(scope="module")
def stack(outer_kafka: Kafka | None, outer_databases: dict[str, str]) -> Iterator[Stack]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | QUICK
    environ |= outer_databases
    if outer_kafka is not None:
        outer_kafka.empty()
        environ |= outer_kafka.environment
    stack = Stack(Path(tempfile.mkdtemp(prefix="careroute-journey-")), environ=environ)
    try:
        stack.start_infrastructure()
        stack.start_services(seconds=90)
        yield stack
    finally:
        for line in complaints(stack):
            print(line)  # shown by pytest when something failed
        stack.discard()


def complaints(stack: Stack) -> list[str]:
    """What the services logged as errors."""
    logs = (stack.folder / "logs").glob("*.log")
    lines = [(file.stem, line) for file in logs for line in file.read_text(errors="replace").splitlines()]
    return [f"{name}: {line}" for name, line in lines if '"error"' in line or '"critical"' in line][-30:]


@pytest.fixture(scope="module")
async def town(stack: Stack, outer_kafka: Kafka | None) -> AsyncIterator[Town]:
    network = find(stack.folder)
    with Endpoints("a-secret-for-the-journey") as endpoints:
        async with Api(network) as api:
            await load(api, endpoints)
            yield Town(stack, outer_kafka or Embedded(stack.broker), network, api, endpoints)
