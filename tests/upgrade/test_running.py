"""The four services of this version on what an earlier one stored: they migrate it, decide it again, call
whoever must know, and the account is clean."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from careroute import redecide as command
from careroute.checks import reconcile
from careroute.checks.reconcile import Account
from careroute.client import Api
from careroute.demo import network as example
from careroute.demo.endpoints import Endpoints
from careroute.local import Stack
from careroute.local.environment import database_variable
from careroute.local.waiting import run
from careroute.network import Network, find
from shared.web.auth import Role
from tests import databases
from tests.brokers import Kafka
from tests.journey.conftest import OURS, QUICK, complaints
from tests.support import eventually
from tests.unit.careroute.http_stand_in import console
from tests.upgrade.dump import KEYS, REFERRALS, restore
from tests.upgrade.test_stored import OVER, SELF_HARM

pytestmark = pytest.mark.timeout(400)

SECRET: Final = "a-secret-for-the-upgrade"


@pytest.fixture(scope="module")
def restored(postgres_url: str) -> Iterator[dict[str, str]]:
    made = run(restore(postgres_url))
    yield {database_variable(service): databases.at(postgres_url, name) for service, name in made.items()}
    for name in made.values():
        run(databases.drop(postgres_url, name))


@pytest.fixture(scope="module")
def network(restored: dict[str, str], outer_kafka: Kafka | None) -> Iterator[Network]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | QUICK
    environ |= restored | KEYS
    if outer_kafka is not None:
        outer_kafka.empty()
        environ |= outer_kafka.environment
    stack = Stack(Path(tempfile.mkdtemp(prefix="careroute-upgrade-")), environ=environ)
    try:
        stack.start_infrastructure()
        stack.start_services(seconds=90)
        found = find(stack.folder)
        yield found
    finally:
        for line in complaints(stack):
            print(line)  # shown by pytest when something failed
        stack.discard()


@pytest.fixture(scope="module")
async def api(network: Network) -> AsyncIterator[Api]:
    async with Api(network) as api:
        yield api


async def acknowledge_all(api: Api) -> None:
    page = await api.get("notify", "/v1/notices?state=open&limit=500", role=Role.ONCALL)
    for notice in page["notices"]:
        path = f"/v1/notices/{notice['id']}/acknowledgement"
        await api.post("notify", path, role=Role.ONCALL, subject="dr-brown", accept=(409,))


async def settled(network: Network, api: Api) -> Account:
    """Reconciled once everybody on call has answered and nothing is on its way, or after a while."""
    until = time.monotonic() + 90
    while True:
        await acknowledge_all(api)
        found = await reconcile.account(network, grace_seconds=0)
        if (found.clean and not found.waiting_to_be_sent) or time.monotonic() > until:
            return found
        await asyncio.sleep(0.2)


async def test_an_upgrade_calls_about_what_the_earlier_version_passed_over(
    network: Network, api: Api
) -> None:
    with Endpoints(SECRET) as endpoints:
        await example.load_people(api, endpoints)
        before = await reconcile.account(network, grace_seconds=0)
        assert before.by_older_rules == len(REFERRALS) - len(OVER) + 2, "closed by care, as triage knows it"

        assert await command.run(network, console()[0], per_second=50) == 0

        for name in sorted(SELF_HARM):

            async def called(id: str = str(REFERRALS[name])) -> Any:
                return [
                    one
                    for one in endpoints.deliveries
                    if one.body["referral_id"] == id
                    and one.body["type"] == "alert"
                    and one.recipient.startswith("psychiatrist-otter")
                ]

            await eventually(called, seconds=60, what=f"a psychiatrist called about {name}")
            seen = await api.get("intake", f"/v1/referrals/{REFERRALS[name]}", role=Role.COORDINATOR)
            assert seen["urgency"] == "very_urgent", name
            assert seen["state"] == "crisis_handover", name
        for name in OVER:
            about = str(REFERRALS[name])
            assert not [
                one
                for one in endpoints.deliveries
                if one.body["referral_id"] == about and one.body["type"] == "alert"
            ], name

        found = await settled(network, api)
        assert found.clean and not found.waiting_to_be_sent, found
        assert found.accepted == len(REFERRALS)
        assert found.by_older_rules == 0
        assert await command.run(network, console()[0], per_second=50) == 0
        assert (await settled(network, api)).clean
