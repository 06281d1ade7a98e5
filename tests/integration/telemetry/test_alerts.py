"""Alerts and the dashboard speak of metrics that there are, and every alert has its page."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from careroute.local.environment import SERVICES
from careroute.reference import metrics

ROOT = Path(__file__).parents[3]
OURS = re.compile(r"\bcareroute_[a-z_]+\b(?:\{([^}]*)\})?")
GROUPED = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")
OF_PROMETHEUS = {"job", "instance", "le"}
PARTS = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",), "gauge": ("",)}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((ROOT / "ops/prometheus/alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    dashboard = json.loads((ROOT / "ops/grafana/dashboards/careroute.json").read_text())
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


SAMPLES = {
    f"{one.family}{part}": set(one.labels)
    for service in SERVICES
    for one in metrics(service)
    for part in PARTS[one.type]
}


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_an_expression_uses_metrics_and_labels_that_there_are(where: str, expression: str) -> None:
    names = [match[0].split("{")[0] for match in OURS.finditer(expression)]
    assert names or "up{" in expression, f"{where} asks for nothing of ours"
    assert set(names) <= SAMPLES.keys()
    known = set.union(OF_PROMETHEUS, *(SAMPLES[name] for name in names))
    selected = {
        re.split(r"[=!]", label)[0].strip()
        for match in OURS.finditer(expression)
        for label in (match[1] or "").split(",")
        if label
    }
    grouped = {label.strip() for match in GROUPED.finditer(expression) for label in match[1].split(",")}
    assert selected | grouped <= known, where


def sections() -> dict[str, str]:
    """The text under each heading of the third level in the part on alerts."""
    page = (ROOT / "docs/operations.md").read_text()
    part = re.split(r"^## ", page.split("\n## Alerts\n")[1], flags=re.MULTILINE)[0]
    found = re.split(r"^### (.+)$", part, flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def test_every_alert_has_a_page_that_says_what_to_do_and_every_page_an_alert() -> None:
    pages = sections()
    assert {rule["alert"] for rule in rules()} == pages.keys()
    for name, text in pages.items():
        for part in ("**Means.**", "**Look at.**", "**Do.**", "**Seen.**"):
            assert part in text, f"{name} does not say: {part}"


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_names_its_page_and_who_must_come(rule: dict[str, Any]) -> None:
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"].endswith(".")


def test_what_prometheus_scrapes_are_the_four_services() -> None:
    config = yaml.safe_load((ROOT / "ops/prometheus/prometheus.yml").read_text())
    assert [job["job_name"] for job in config["scrape_configs"]] == list(SERVICES)
    assert config["rule_files"] == ["alerts.yml"]


def provisioned(what: str) -> Any:
    (file,) = (ROOT / "ops/grafana/provisioning" / what).iterdir()
    return yaml.safe_load(file.read_text())


def test_what_grafana_is_given_fits_together() -> None:
    """Its provisioning, the dashboard and what docker-compose.yml mounts where."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    (source,) = provisioned("datasources")["datasources"]
    (provider,) = provisioned("dashboards")["providers"]
    mounts = dict(volume.split(":")[1::-1] for volume in compose["grafana"]["volumes"])
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert set(compose["prometheus"]["networks"]) & set(compose["grafana"]["networks"])
    assert provider["type"] == "file"
    assert mounts[provider["options"]["path"]] == "./ops/grafana/dashboards"
    assert mounts["/etc/grafana/provisioning"] == "./ops/grafana/provisioning"
    assert {panel["datasource"]["uid"] for panel in panels()} == {source["uid"]}


def test_panels_lie_beside_one_another() -> None:
    taken: set[tuple[int, int]] = set()
    dashboard = json.loads((ROOT / "ops/grafana/dashboards/careroute.json").read_text())
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)


def test_metrics_named_on_the_operations_page_are_there() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    assert {match[0].split("{")[0] for match in OURS.finditer(page)} <= SAMPLES.keys()
