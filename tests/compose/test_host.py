"""One host as an ops team runs it: up, found closed, at work, scaled, restarted, taken down and up again."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from careroute.host.keys import SEALING
from careroute.local.environment import SERVICES
from tests.compose import sharing
from tests.compose.account import account
from tests.compose.host import Host, engine
from tests.compose.town import Town, crisis, referral
from tests.support import eventually

pytestmark = pytest.mark.timeout(600)

STEPS = {"keys", "databases"}
EXPRESS = ("triage-express", "notify-express")


def test_up_ends_healthy_and_publishes_nothing_but_the_apis(host: Host) -> None:
    found = {one["Service"]: one for one in host.containers()}
    assert {name for name, one in found.items() if one["State"] == "exited"} == STEPS
    assert all(found[step]["ExitCode"] == 0 for step in STEPS)
    assert {one["Health"] for name, one in found.items() if name not in STEPS} == {"healthy"}
    published = {
        (name, port["URL"], str(port["PublishedPort"]))
        for name, one in found.items()
        for port in one["Publishers"]
        if port["PublishedPort"]
    }
    ports = {host.settings[f"{service.upper()}_PORT"] for service in SERVICES}
    assert published == {("gateway", "127.0.0.1", port) for port in ports}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_nobody_and_sees_its_own_secrets_alone(host: Host, service: str) -> None:
    found = host.run_inside("what_it_sees", service)
    own = {f"{service.upper()}_{name}" for name in ("DATABASE_URL", "ENCRYPTION_KEYS")}
    if service not in SEALING:
        own.remove(f"{service.upper()}_ENCRYPTION_KEYS")
    assert found["uid"] != 0
    assert found["writable"] == []
    assert set(found["files"]) == own | {"KAFKA_PASSWORD", "ca.pem", "public-keys.json"}
    assert found["told"] == []


def test_a_services_role_enters_its_own_database_and_no_other(host: Host) -> None:
    assert host.run_inside("which_databases", "triage") == ["triage"]


def test_the_demo_routes_its_referrals_and_the_account_is_clean(host: Host) -> None:
    """First of all that work, since it loads a network of its own: afterwards the town's people are told."""
    said = host.compose("run", "--rm", "-T", "demo", seconds=420)
    assert "accepted" in said
    found = account(host)
    assert found.clean, found.text
    assert found.counts["accepted"] == 60


async def test_a_crisis_reaches_who_is_on_call(town: Town) -> None:
    id = await town.submit("crisis-1", crisis())
    called = await town.is_called(id)
    assert called.genuine
    await town.acknowledge_all()


async def test_replicas_share_the_partitions_behind_the_same_ports(host: Host, town: Town) -> None:
    host.up("--no-recreate", "--scale", "triage=3", "--scale", "matching=3")
    assert len(host.containers("triage")) == len(host.containers("matching")) == 3
    for group in ("triage", "matching"):
        shares = sharing.of(host, group)
        assert len(shares) == 3, shares
        assert all(1 <= share <= 4 for share in shares.values()), shares
    ids = await _submit(town, "scaled", 30)
    for id in ids:
        await town.is_in(id, "offered", "waitlisted", "accepted")


async def test_a_rolling_restart_under_load_loses_and_doubles_nothing(host: Host, town: Town) -> None:
    before = account(host).counts["accepted"]
    load = asyncio.create_task(under_load(town, "rolling"))
    for service in (*SERVICES, *EXPRESS):
        await asyncio.to_thread(_restart, host, service)
    load.cancel()
    ids = await load
    assert len(ids) > 50
    found = account(host)
    assert found.clean, found.text
    assert found.counts["accepted"] == before + len(ids)
    for id in ids:
        assert (await town.referral(id))["state"] != "received"


def _restart(host: Host, service: str) -> None:
    """One replica after the other, each healthy before the next."""
    for one in host.containers(service):
        host.restart(one["ID"])


async def under_load(town: Town, name: str) -> set[str]:
    """One referral after the other, some express, by four clients, until it is cancelled."""
    ids: set[str] = set()
    stop = asyncio.Event()

    async def client(number: int) -> None:
        count = 0
        while not stop.is_set():
            count += 1
            make: Callable[..., dict[str, Any]] = crisis if count % 10 == 0 else referral
            ids.add(await town.submit(f"{name}-{number}-{count}", make()))

    clients = asyncio.gather(*(client(number) for number in range(4)))
    try:
        await asyncio.shield(clients)
    except asyncio.CancelledError:
        stop.set()
        await clients
    await town.acknowledge_all()
    return ids


async def _submit(town: Town, name: str, count: int) -> list[str]:
    return await asyncio.gather(*(town.submit(f"{name}-{n}", referral()) for n in range(count)))


async def test_a_crisis_passes_while_everything_routine_stands_still(host: Host, town: Town) -> None:
    host.compose("stop", "triage", "notify")
    (routine,) = await _submit(town, "still", 1)
    urgent = await town.submit("crisis-still", crisis())
    await town.is_called(urgent)
    await town.acknowledge_all()
    assert await town.is_answered(urgent)
    assert (await town.referral(routine))["state"] == "received"
    host.compose("start", "triage", "notify")
    await town.is_in(routine, "offered", "waitlisted")


async def test_a_process_that_ends_itself_is_started_again(host: Host, town: Town) -> None:
    """As one does whose consumer stands still."""
    (container,) = host.containers("notify-express")
    said = ("inspect", "--format", "{{.RestartCount}} {{.State.Health.Status}}", container["ID"])
    before = int(engine(*said).split()[0])
    host.compose("exec", "-T", "notify-express", "python", "-c", "import os; os.kill(1, 15)")

    async def again() -> bool:
        return engine(*said).split() == [str(before + 1), "healthy"]

    await eventually(again, seconds=90, what="a new process")
    await town.is_called(await town.submit("crisis-again", crisis()))
    await town.acknowledge_all()


async def test_down_and_up_again_keeps_everything(host: Host, town: Town) -> None:
    (id,) = await _submit(town, "kept", 1)
    await town.is_in(id, "offered", "waitlisted")
    accepted = account(host).counts["accepted"]
    before = await town.referral(id)
    host.compose("down")
    host.up()
    assert (await town.referral(id)) == before
    assert await town.submit("kept-0", referral()) == id
    found = account(host)
    assert found.clean, found.text
    assert found.counts["accepted"] == accepted
    later = await town.submit("crisis-2", crisis())
    await town.is_called(later)
    await town.acknowledge_all()
