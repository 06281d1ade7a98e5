"""The profile `observability`: replicas are seen, alerts come and go, the dashboard has something to show."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import yaml

from careroute.local.environment import SERVICES
from tests.compose.host import ROOT, Host
from tests.compose.prometheus import Prometheus
from tests.compose.town import Town, crisis, referral
from tests.containers import available, image_name
from tests.support import eventually

pytestmark = pytest.mark.timeout(600)

OF_THE_EXPRESS_LANE = ("triage", "notify")
CONFIG = "/etc/prometheus/prometheus.yml"


@pytest.fixture(scope="module")
async def prometheus(host: Host) -> AsyncIterator[Prometheus]:
    host.up("--no-recreate", "prometheus")
    prometheus = Prometheus(host)
    yield prometheus
    await prometheus.close()


async def test_every_replica_is_seen(host: Host, prometheus: Prometheus) -> None:
    host.up("--no-recreate", "--scale", "triage=2")
    expected = sorted((service, "up") for service in (*SERVICES, "triage", *OF_THE_EXPRESS_LANE))

    async def seen() -> bool:
        return await prometheus.targets() == expected

    await eventually(seen, seconds=90, what="seeing all seven")


async def test_the_rules_are_loaded_and_each_can_be_evaluated(host: Host, prometheus: Prometheus) -> None:
    checked = host.compose("exec", "-T", "prometheus", "promtool", "check", "config", CONFIG)
    assert "SUCCESS" in checked
    groups = yaml.safe_load((ROOT / "ops/prometheus/alerts.yml").read_text())["groups"]
    written = [rule["alert"] for group in groups for rule in group["rules"]]

    async def evaluated() -> list[tuple[str, str]] | None:
        found = sorted((rule["name"], rule["health"]) for rule in await prometheus.rules())
        return None if ("unknown" in {health for _, health in found}) else found

    found = await eventually(evaluated, seconds=60, what="evaluating every rule")
    assert found == sorted((name, "ok") for name in written)


async def test_a_service_that_is_down_and_a_parked_message_raise_their_alerts(
    host: Host, town: Town, prometheus: Prometheus
) -> None:
    assert host.run_inside("park_one", "careroute", TOPIC="intake.referrals.v1") == "sent"
    host.compose("stop", "notify", "notify-express")
    await prometheus.fires("ServiceDown", job="notify")
    await prometheus.fires("DeadLetters", group="triage", reason="not_json")
    host.compose("start", "notify")
    await prometheus.is_quiet("ServiceDown")
    await prometheus.fires("NoRelay", job="notify", lane="express")
    host.compose("start", "notify-express")
    await prometheus.is_quiet("NoRelay")


DASHBOARD = json.loads((ROOT / "ops/grafana/dashboards/careroute.json").read_text())
QUERIES = [
    (panel["title"], target["expr"])
    for panel in DASHBOARD["panels"]
    if panel["type"] != "row"
    for target in panel["targets"]
]


async def test_every_panel_of_the_dashboard_has_something_to_show(town: Town, prometheus: Prometheus) -> None:
    async def work() -> None:
        for number in range(10_000):
            id = await town.submit(f"watched-{number}", crisis() if number % 5 == 0 else referral())
            await town.referral(id)
            if number % 10 == 0:
                await town.acknowledge_all()
            await asyncio.sleep(0.5)

    async def empty() -> list[str]:
        return [title for title, query in QUERIES if not await prometheus.series(query)]

    async def all_filled() -> bool:
        return not await empty()

    working = asyncio.create_task(work())
    try:
        await eventually(all_filled, seconds=150, what="something for every panel")
    except AssertionError:
        assert await empty() == []
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


@pytest.fixture
def grafana_image() -> None:
    if not available("GRAFANA_IMAGE"):
        pytest.skip(f"{image_name('GRAFANA_IMAGE')} is not to be had here, and there is no stand-in for it")


async def test_grafana_has_the_dashboard_and_reaches_prometheus(
    grafana_image: None, host: Host, prometheus: Prometheus
) -> None:
    host.up("--no-recreate", "prometheus", "grafana")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{host.settings['GRAFANA_PORT']}") as grafana:
        shown = (await grafana.get("/api/dashboards/uid/careroute")).json()["dashboard"]
        assert [panel["title"] for panel in shown["panels"]] == [
            panel["title"] for panel in DASHBOARD["panels"]
        ]
        health = await grafana.get("/api/datasources/uid/prometheus/health")
        assert health.json()["status"] == "OK"
