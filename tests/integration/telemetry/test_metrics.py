"""One list of metrics: what a service's /metrics shows is in it, with its help, and its labels are few."""

import asyncio
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client.parser import text_string_to_metric_families

from careroute.local.environment import SERVICES
from careroute.reference import metrics
from shared.runtime.service import Service
from shared.settings import ServiceSettings

ROOT = Path(__file__).parents[3]

SCRAPE = """
import asyncio, base64, importlib, os, sys, httpx
name = sys.argv[1]
os.environ["INTAKE_ENCRYPTION_KEYS"] = "k1:" + base64.b64encode(b"1" * 32).decode()
app = importlib.import_module(f"services.{name}.app").create_app()
async def scrape():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        return (await client.get("/metrics")).text
print(asyncio.run(scrape()))
"""


@cache
def scraped(service: str) -> dict[str, Any]:
    """The families that the service shows, in a process of its own as it has when it runs."""
    done = subprocess.run(
        [sys.executable, "-c", SCRAPE, service], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {family.name: family for family in text_string_to_metric_families(done.stdout)}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_shows_what_the_list_says_of_it_and_nothing_else(service: str) -> None:
    shown = {name: found for name, found in scraped(service).items() if name.startswith("careroute_")}
    listed = {metric.family: metric for metric in metrics(service)}
    assert shown.keys() == listed.keys()
    for name, family in shown.items():
        assert (family.documentation, family.type) == (listed[name].about, listed[name].type)
        assert len(family.documentation) > 15 and family.documentation.endswith(".")


FORBIDDEN = {"referral", "referral_id", "clinic", "recipient", "therapist", "path", "url", "name", "subject"}


def test_no_label_is_an_identity_or_without_end() -> None:
    labels = {(one.family, label) for service in SERVICES for one in metrics(service) for label in one.labels}
    assert not {(name, label) for name, label in labels if label in FORBIDDEN}


async def test_a_request_is_measured_by_its_template_and_a_known_method() -> None:
    app = _app()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://service"
    ) as client:
        await client.get("/v1/things/marker-1")
        await client.get("/nowhere/marker-2")
        await client.request("MARKER3", "/v1/things/x")
        assert (await client.get("/v1/broken/marker-4")).status_code == 500
        text = (await client.get("/metrics")).text
    assert "marker" not in text.lower()
    seconds = next(f for f in text_string_to_metric_families(text) if f.name == "careroute_http_seconds")
    counted = {
        (s.labels["route"], s.labels["method"], s.labels["status"])
        for s in seconds.samples
        if s.name.endswith("_count")
    }
    assert {
        ("/v1/things/{thing}", "GET", "200"),
        ("unknown", "GET", "404"),
        ("/v1/broken/{thing}", "GET", "500"),
    } <= counted
    assert {method for _, method, _ in counted} <= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "other"}


def _app() -> FastAPI:
    router = APIRouter(prefix="/v1")

    @router.get("/things/{thing}")
    async def things(thing: str) -> str:
        return json.dumps(len(thing))

    @router.get("/broken/{thing}")
    async def broken(thing: str) -> str:
        await asyncio.sleep(0)
        raise RuntimeError(thing)

    service = Service("triage", ServiceSettings(), migrations=ROOT / "none")
    return service.app(router, title="test", description="test")
