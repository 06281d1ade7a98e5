"""Makes the dump of a version: its own code takes made-up referrals and brings each to a state, then its four
databases are written as SQL. Takes about a minute, in a checkout of that version:

    PYTHONPATH=. python tests/upgrade/make_dump.py tests/upgrade/dump-$(git rev-parse --short HEAD)

`dump-4b300e0` was made by this file as it was before the modules moved (`git log --follow` finds it). Some of
these referrals are stored by that version and refused by this one, so a dump of this version needs others.
"""

import asyncio
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from careroute.checks import reconcile
from careroute.client import Api
from careroute.demo import network as example
from careroute.demo.endpoints import Endpoints
from careroute.local import SERVICES, Stack, postgres_home
from careroute.network import find
from shared.web.auth import Role

KEYS: Final = {
    "INTAKE_ENCRYPTION_KEYS": "k1:dGVzdC1vbmx5LWtleS1vZi10aGUtZHVtcC1pbnRha2U=",
    "NOTIFY_ENCRYPTION_KEYS": "k1:dGVzdC1vbmx5LWtleS1vZi10aGUtZHVtcC1ub3RpZnk=",
}
"""For tests only: they seal nothing but this dump."""
SECRET: Final = "a-secret-of-the-dump-alone"
PATIENCE_SECONDS: Final = 60
OURS: Final = ("KAFKA_", "INTAKE_", "TRIAGE_", "MATCHING_", "NOTIFY_", "CAREROUTE_")
CALM: Final = [0, 0, 0, 0, 0, 0, 0, 0, 0]


def phq9(*answers: int) -> dict[str, Any]:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    return {"instrument": "phq9", "taken_on": yesterday, "answers": list(answers)}


def referral(**changes: Any) -> dict[str, Any]:
    """An adult with low mood and a sheet of zeros: routine, no review."""
    client = {"name": "Alex Example", "region": "otter", "birth_date": "1990-05-17", "languages": ["en"]}
    client |= changes.pop("client", {})
    return {
        "client": client,
        "consent": {"share_with_network": True, "version": "2026-01"},
        "problems": ["depression"],
        "screenings": [phq9(*CALM)],
        "requested_priority": "routine",
        "payer": "public_plan",
    } | changes


SELF_HARM: Final = {"diagnoses": ["T39.1X2A"]}
NOBODY_SPEAKS_IT: Final = {"client": {"languages": ["nv"]}}

REFERRALS: Final[dict[str, dict[str, Any]]] = {
    "offered": referral(),
    "accepted": referral(),
    "booked": referral(),
    "closed": referral(),
    "closed-self-harm": referral(**SELF_HARM),
    "returned": referral(**SELF_HARM, requested_priority="urgently please"),
    "withdrawn": referral(**SELF_HARM),
    "waitlisted": referral(**NOBODY_SPEAKS_IT),
    "self-harm-offered": referral(**SELF_HARM),
    "self-harm-accepted": referral(**SELF_HARM),
    "self-harm-waitlisted": referral(**SELF_HARM, **NOBODY_SPEAKS_IT),
    "self-harm-in-review": referral(**SELF_HARM, requested_priority="unsure"),
    "self-harm-lowered": referral(**SELF_HARM, requested_priority="STAT!"),
    "self-harm-held": referral(**SELF_HARM, consent={"share_with_network": False}),
    "self-harm-asked": referral(**SELF_HARM, requested_priority="unsure"),
    "self-harm-sequela": referral(diagnoses=["T39.1X2S"]),
    "self-harm-who": referral(diagnoses=["X61"]),
    "ideation": referral(diagnoses=["R45.88"]),
    "accident": referral(diagnoses=["T39.1X1A"]),
    "withdrawal-delirium": referral(diagnoses=["F10.231"], consent={"share_with_network": True}),
    "word-of-urgency": referral(requested_priority="emergency"),
    "in-review": referral(requested_priority="unsure"),
    "claimed": referral(screenings=[phq9(0, 0, 0, 0, 0, 0, 0, 0, 1)]),
    "confirmed": referral(screenings=[phq9(0, 0, 0, 0, 0, 0, 0, 0, 1)]),
    "lowered": referral(screenings=[phq9(0, 0, 0, 0, 0, 0, 0, 0, 1)]),
    "severe": referral(screenings=[phq9(3, 3, 3, 3, 3, 2, 2, 2, 0)]),
    "mania": referral(red_flags=["mania_acute"]),
    "crisis-acknowledged": referral(red_flags=["recent_attempt"]),
    "crisis-confirmed": referral(red_flags=["overdose"]),
    "crisis-unacknowledged": referral(red_flags=["recent_attempt"]),
    "unknown-region": referral(client={"region": "Otter"}),
    "unknown-payer": referral(payer="medicaid"),
    "language-of-three-letters": referral(client={"languages": ["spa"]}),
    "born-in-1970": referral(client={"birth_date": "0"}),
    "minor": referral(client={"birth_date": "2012-03-04"}, screenings=[]),
}


class Before:
    """The earlier version at work."""

    def __init__(self, api: Api, ids: dict[str, str]) -> None:
        self.api, self.ids = api, ids

    async def until(self, name: str, *states: str) -> Any:
        async def there() -> Any:
            path = f"/v1/referrals/{self.ids[name]}"
            seen = await self.api.get("intake", path, role=Role.COORDINATOR)
            return seen if seen["state"] in states else None

        return await until(there, f"{name} in {states}")

    async def accept(self, name: str) -> str:
        async def offer() -> Any:
            path = f"/v1/offers?state=open&referral_id={self.ids[name]}"
            found = await self.api.get("matching", path, role=Role.COORDINATOR)
            return next(iter(found["offers"]), None)

        id: str = (await until(offer, f"an offer for {name}"))["id"]
        await self.api.post("matching", f"/v1/offers/{id}/acceptance", {}, role=Role.COORDINATOR)
        return id

    async def decide(self, name: str, **word: Any) -> None:
        async def review() -> Any:
            page = await self.api.get("triage", "/v1/reviews?limit=500", role=Role.CLINICIAN)
            return next((r for r in page["reviews"] if r["referral_id"] == self.ids[name]), None)

        seen = (await until(review, f"a review of {name}"))["decision"]
        path = f"/v1/reviews/{self.ids[name]}/decision"
        await self.api.post("triage", path, {"seen": seen, **word}, role=Role.CLINICIAN, subject="dr-grey")

    async def acknowledge(self, name: str) -> None:
        async def open_() -> Any:
            path = f"/v1/notices?state=open&limit=500&referral_id={self.ids[name]}"
            return (await self.api.get("notify", path, role=Role.ONCALL))["notices"]

        for notice in await until(open_, f"an alert about {name}"):
            path = f"/v1/notices/{notice['id']}/acknowledgement"
            await self.api.post("notify", path, role=Role.ONCALL, subject="dr-brown", accept=(409,))


async def until(probe: Callable[[], Awaitable[Any]], what: str) -> Any:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await probe()):
            await asyncio.sleep(0.2)
        return found
    raise AssertionError(what)


async def bring_into_states(before: Before) -> None:
    for name in ("accepted", "booked", "closed", "closed-self-harm", "self-harm-accepted"):
        await before.accept(name)
    starts_at = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    booked = f"/v1/referrals/{before.ids['booked']}/appointment"
    await before.api.post("matching", booked, {"starts_at": starts_at}, role=Role.COORDINATOR)
    for name in ("closed", "closed-self-harm"):
        path = f"/v1/referrals/{before.ids[name]}/closure"
        await before.api.post("matching", path, {"reason": "completed"}, role=Role.COORDINATOR)
    for name in ("self-harm-lowered", "lowered"):
        await before.decide(name, action="lower", urgency="routine", reason="assessed_by_phone")
    for name in ("confirmed", "crisis-confirmed"):
        await before.decide(name, action="confirm", reason="assessed")
    await before.decide(
        "self-harm-asked", action="ask", reason="missing_information", questions=["birth_date"]
    )
    step = {
        "step": "advice_call",
        "owner": "clinician",
        "by": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
    }
    await before.decide(
        "returned", action="return", reason="other_service", advice=["come_back_if_worse"], next_steps=[step]
    )
    claim = f"/v1/reviews/{before.ids['claimed']}/claim"
    await before.api.post("triage", claim, role=Role.CLINICIAN, subject="dr-grey")
    withdrawal = f"/v1/referrals/{before.ids['withdrawn']}/withdrawal"
    await before.api.post(
        "intake", withdrawal, {"reason": "found_other_care"}, role=Role.CLINIC, clinic="riverside-family"
    )
    await before.acknowledge("crisis-acknowledged")
    for name, states in {
        "offered": ("offered",),
        "booked": ("booked",),
        "closed": ("closed",),
        "closed-self-harm": ("closed",),
        "returned": ("returned",),
        "withdrawn": ("withdrawn",),
        "waitlisted": ("waitlisted",),
        "self-harm-offered": ("offered",),
        "self-harm-accepted": ("accepted",),
        "self-harm-waitlisted": ("waitlisted",),
        "self-harm-asked": ("needs_information",),
        "crisis-unacknowledged": ("crisis_handover",),
    }.items():
        await before.until(name, *states)


async def make(stack: Stack) -> dict[str, str]:
    network = find(stack.folder)
    with Endpoints(SECRET) as endpoints:
        await asyncio.to_thread(example.load_roster, network, Console(stderr=True))
        async with Api(network) as api:
            await example.load_people(api, endpoints)
            ids = {}
            for name, body in REFERRALS.items():
                taken = await api.post(
                    "intake",
                    "/v1/referrals",
                    body,
                    role=Role.CLINIC,
                    clinic="riverside-family",
                    headers={"Idempotency-Key": name},
                )
                ids[name] = taken["id"]
            await bring_into_states(Before(api, ids))
            await until(lambda: _quiet(network), "everybody has acted on everything")
    return ids


async def _quiet(network: Any) -> bool:
    found = await reconcile.account(network, grace_seconds=0)
    return not found.lost and not found.waiting_to_be_sent


def dump(stack: Stack, service: str) -> str:
    """Plain SQL that any client and any newer Postgres takes: no session settings, no owners."""
    url = re.sub(r"\?.*", "", stack.settings.databases[service])
    binary = postgres_home.binaries(postgres_home.account()) / "pg_dump"
    options = ("--no-owner", "--no-privileges", "--no-comments", "--rows-per-insert=100")
    done = subprocess.run([binary, *options, url], check=True, capture_output=True, text=True)
    kept = (
        line for line in done.stdout.splitlines() if not re.match(r"--|SET |\\|SELECT pg_catalog.set_c", line)
    )
    return re.sub(r"\n{2,}", "\n", "\n".join(kept)).strip() + "\n"


def main(out: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | KEYS
    stack = Stack(Path(tempfile.mkdtemp(prefix="careroute-dump-")), environ=environ)
    try:
        stack.start_infrastructure()
        stack.start_services(seconds=90)
        ids = asyncio.run(make(stack))
        stack.processes.stop(*SERVICES)
        out.mkdir(parents=True, exist_ok=True)
        for service in SERVICES:
            (out / f"{service}.sql.gz").write_bytes(gzip.compress(dump(stack, service).encode(), mtime=0))
        (out / "referrals.json").write_text(json.dumps(ids, indent=1) + "\n")
        (out / "keys.json").write_text(json.dumps(KEYS, indent=1) + "\n")
    finally:
        stack.discard()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
