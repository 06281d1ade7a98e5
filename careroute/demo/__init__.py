"""`careroute demo`: the whole system, 60 made-up referrals, and a proof that none was lost."""

import asyncio
import secrets
import socket
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress, TaskID

from careroute.checks import reconcile
from careroute.client import Api
from careroute.demo import network as example
from careroute.demo import report
from careroute.demo.endpoints import Endpoints
from careroute.demo.people import People
from careroute.local import Stack, unwinding_on_signals
from careroute.network import EXAMPLE_NETWORK, Network, find
from shared.web.auth import Role

PATIENCE_SECONDS: Final = 90
SETTLED: Final = frozenset({"accepted", "booked", "waitlisted", "returned", "withdrawn", "closed"})
STEPS: Final = ("submitted", "triaged", "with a therapist or waiting for a place", "settled")


def run(out: Console, *, keep: bool) -> int:
    """0 when every referral reached somebody and nothing was lost; 1 otherwise, naming what was not."""
    folder = Path(".careroute/demo") if keep else Path(tempfile.mkdtemp(prefix="careroute-demo-"))
    stack = Stack(folder, network_file=EXAMPLE_NETWORK)
    began = time.monotonic()
    with unwinding_on_signals():
        try:
            with Endpoints(secrets.token_urlsafe(24)) as endpoints:
                with out.status("Starting Kafka, Postgres and the four services ..."):
                    stack.start_infrastructure()
                    stack.start_services()
                out.print(f"Everything is up after {time.monotonic() - began:.1f} s.")
                return asyncio.run(_tell(find(folder), endpoints, out, began))
        finally:
            stack.stop() if keep else stack.discard()


def run_on(network: Network, out: Console) -> int:
    """The same on a network that runs already; its notify must reach this machine."""
    here = socket.gethostbyname(socket.gethostname())
    with Endpoints(secrets.token_urlsafe(24), host=here) as endpoints:
        return asyncio.run(_tell(network, endpoints, out, time.monotonic(), run=f"-{secrets.token_hex(4)}"))


async def _tell(network: Network, endpoints: Endpoints, out: Console, began: float, *, run: str = "") -> int:
    """`run` sets the referrals of this run apart from those of others on the same network."""
    await asyncio.to_thread(example.load_roster, network, out)
    async with Api(network) as api:
        await example.load_people(api, endpoints)
        people = People(api, endpoints)
        acting = asyncio.create_task(people.act())
        try:
            lines = [line | {"key": line["key"] + run} for line in example.referrals()]
            referrals = await _submit_and_follow(api, lines, out, acting)
            await _until_quiet(endpoints)
        finally:
            acting.cancel()
        stories = await report.stories(api, referrals, endpoints)
    report.show(stories, people, endpoints, out)
    found = await reconcile.account(network, grace_seconds=5)
    reconcile.show(found, out)
    stuck = report.problems(stories, found, endpoints)
    for problem in stuck:
        out.print(f"✗ {problem}", style="red", markup=False, highlight=False)
    out.print(f"{len(referrals)} referrals, {time.monotonic() - began:.0f} s from start to proof.")
    return 1 if stuck or not found.clean else 0


async def _submit_and_follow(
    api: Api, lines: list[dict[str, Any]], out: Console, acting: "asyncio.Task[None]"
) -> list[dict[str, Any]]:
    with Progress(console=out, transient=not out.is_terminal) as progress:
        bars = [progress.add_task(step, total=len(lines)) for step in STEPS]
        submitted = await asyncio.gather(*(_submit(api, line, progress, bars[0]) for line in lines))
        ours = {answer["id"] for answer in submitted}
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            standing = [one for one in await _standing(api) if one["id"] in ours]
            open_alerts = await api.get("notify", "/v1/notices?state=open&limit=1", role=Role.OPS)
            crises = await api.get("notify", "/v1/notices?state=awaiting_outcome&limit=1", role=Role.OPS)
            reviews = await api.get("triage", "/v1/reviews?limit=1", role=Role.CLINICIAN)
            counts = _counts(standing)
            for bar, count in zip(bars[1:], counts, strict=True):
                progress.update(bar, completed=count)
            people_done = not (open_alerts["notices"] or crises["notices"]) and not reviews["reviews"]
            if acting.done():
                acting.result()
            if (counts[-1] == len(lines) and people_done) or time.monotonic() > until:
                return [{**line, **answer} for line, answer in zip(lines, submitted, strict=True)]
            await asyncio.sleep(0.2)


async def _until_quiet(endpoints: Endpoints) -> None:
    """The last notices are on their way: wait until none has come for a while."""
    before = -1
    while before != len(endpoints.deliveries):
        before = len(endpoints.deliveries)
        await asyncio.sleep(2)


def _counts(standing: Iterable[dict[str, Any]]) -> tuple[int, int, int]:
    states = [(one["state"], one["urgency"]) for one in standing]
    return (
        sum(urgency is not None for _, urgency in states),
        sum(state in SETTLED or state == "offered" for state, _ in states),
        sum(state in SETTLED for state, _ in states),
    )


async def _submit(api: Api, line: dict[str, Any], progress: Progress, bar: TaskID) -> dict[str, Any]:
    answer: dict[str, Any] = await api.post(
        "intake",
        "/v1/referrals",
        line["body"],
        role=Role.CLINIC,
        clinic=line["clinic"],
        headers={"Idempotency-Key": line["key"]},
    )
    progress.advance(bar)
    return {"id": answer["id"], "accepted": answer, "at": time.time()}


async def _standing(api: Api) -> list[dict[str, Any]]:
    since = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    page = await api.get("intake", f"/v1/referrals?limit=200&updated_since={since}", role=Role.COORDINATOR)
    found: list[dict[str, Any]] = page["referrals"]
    return found
