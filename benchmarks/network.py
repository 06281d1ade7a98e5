"""A stack to measure, and a made-up network at work on it: regions, therapists with room, people to tell."""

import argparse
import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from benchmarks.calling import Line
from benchmarks.endpoints import SECRET, Endpoints
from careroute import tokens
from careroute.client import Api
from careroute.local import Stack
from careroute.network import find
from shared.web.auth import Role

OURS: Final = ("KAFKA_", "INTAKE_", "TRIAGE_", "MATCHING_", "NOTIFY_", "CAREROUTE_", "OTEL_")
REGIONS: Final = tuple(f"region-{letter}" for letter in "abcdefghijkl")
CLINICS: Final = tuple(f"clinic-{number}" for number in range(1, 9))
THERAPISTS: Final = 240
NDJSON: Final = "content-type: application/x-ndjson"
JSON: Final = "content-type: application/json"
TOLD_EACH: Final = 5
"""Webhooks for one routine referral: the outcome of triage and the match, each to the clinic and to primary
care, and the offer to the therapist."""


@dataclass(frozen=True)
class Town:
    stack: Stack
    endpoints: Endpoints

    def authorization(self, clinic: str) -> str:
        token = tokens.sign(
            self.stack.keys.signing_key,
            role=Role.CLINIC,
            subject="bench",
            clinic=clinic,
            now=datetime.now(UTC),
            hours=12,
        )
        return f"authorization: Bearer {token}"

    async def submit(self, count: int) -> None:
        """So many routine referrals as NDJSON, in one request by each clinic, all at once."""
        shares = [count // len(CLINICS) + (place < count % len(CLINICS)) for place in range(len(CLINICS))]
        await asyncio.gather(
            *(self._batch(clinic, share) for clinic, share in zip(CLINICS, shares, strict=True) if share)
        )

    async def _batch(self, clinic: str, count: int) -> None:
        body = lines(count)
        async with Line(self.stack.urls["intake"]) as line:
            status, answer = await line.post(
                "/v1/referrals/batch", body, [NDJSON, self.authorization(clinic)]
            )
        taken = answer.count(b'"status":202')
        if (status, taken) != (200, count):
            raise SystemExit(f"Of {count} lines {taken} were taken (status {status}): {answer[:500]!r}")


@contextmanager
def town(**environment: str) -> Iterator[Town]:
    """Infrastructure up and services not yet started; everything it made is gone afterwards."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    stack = Stack(
        Path(tempfile.mkdtemp(prefix="careroute-bench-")),
        environ=environ | {"LOG_LEVEL": "WARNING"} | environment,
    )
    with Endpoints() as endpoints:
        try:
            stack.start_infrastructure()
            yield Town(stack, endpoints)
        finally:
            stack.discard()


def settle(town: Town, *, therapists: int = THERAPISTS) -> None:
    """Roster, recipients and rota, by the services' own APIs. Each therapist takes a thousand clients."""
    asyncio.run(_settle(town, therapists))


async def _settle(town: Town, therapists: int) -> None:
    async with Api(find(town.stack.folder)) as api:
        for number in range(therapists):
            await api.put(
                "matching", f"/v1/therapists/{UUID(int=number + 1)}", therapist(number), role=Role.COORDINATOR
            )
        for person in people():
            body = {name: value for name, value in person.items() if name != "id"}
            channel = {"kind": "webhook", "url": town.endpoints.url(person["id"]), "secret": SECRET}
            await api.put(
                "notify", f"/v1/recipients/{person['id']}", body | {"channels": [channel]}, role=Role.OPS
            )
        for region in REGIONS:
            await api.put(
                "notify", f"/v1/rota/{region}", {"fallback": [f"psychiatrist-{region}"]}, role=Role.OPS
            )


def therapist(number: int) -> dict[str, Any]:
    return {
        "name": f"Therapist {number}",
        "region": REGIONS[number % len(REGIONS)],
        "languages": ["en", "es"] if number % 4 == 0 else ["en"],
        "payers": ["payer-a", "payer-b"],
        "modalities": ["talk_therapy", "cbt", "act", "ipt", "counselling", "guided_self_help", "group_cbt"],
        "age_groups": ["adult", "older"],
        "genders": ["woman" if number % 2 else "man"],
        "settings": ["in_person", "telehealth"],
        "hours": [f"{day}-{hour:02d}" for day in ("mon", "tue", "wed", "thu") for hour in range(9, 19)],
        "places_total": 1000,
    }


def people() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for region in REGIONS:
        found.append({"id": f"psychiatrist-{region}", "audience": "psychiatrist", "regions": [region]})
        found.append({"id": f"clinician-{region}", "audience": "clinician", "regions": [region]})
        found.append({"id": f"therapists-{region}", "audience": "therapist", "regions": [region]})
    for clinic in CLINICS:
        found.append({"id": f"{clinic}-desk", "audience": "clinic", "clinic": clinic})
        found.append({"id": f"{clinic}-primary-care", "audience": "primary_care", "clinic": clinic})
    for audience in ("coordinator", "ops"):
        found.append({"id": audience, "audience": audience, "regions": list(REGIONS)})
    return found


def lines(count: int) -> bytes:
    """Referrals with keys of their own, spread over the regions."""
    return b"".join(
        json.dumps(referral(number) | {"idempotency_key": str(uuid4())}, separators=(",", ":")).encode()
        + b"\n"
        for number in range(count)
    )


def referral(number: int, **changes: Any) -> dict[str, Any]:
    """An adult with mild low mood, everything assessed, no safety item: routine. About 1.3 kB."""
    return {
        "client": {
            "name": "Alex Example",
            "region": REGIONS[number % len(REGIONS)],
            "birth_date": "1990-05-17",
            "languages": ["en"],
            "contact": {"phone": "+1 555 0100", "email": "alex@example.org", "address": "1 Example Street"},
            "pronouns": "she/her",
        },
        "consent": {"share_with_network": True, "version": "2026-01"},
        "referrer": {
            "name": "Dr. Sam Sample",
            "organisation": "Sample Practice",
            "role": "primary care physician",
        },
        "primary_care": {"organisation": "Sample Practice", "phone": "+1 555 0101"},
        "problems": ["depression"],
        "diagnoses": ["F32.0"],
        "goals": [{"code": "sleep", "words": "I would like to sleep through again."}],
        "history": {"past_treatments": [{"modality": "cbt", "helped": True}], "past_attempt": False},
        "screenings": [
            sheet("phq9", 1, 1, 1, 1, 1, 0, 0, 0, 0),
            sheet("gad7", 1, 1, 0, 1, 0, 1, 0),
        ],
        "requested_priority": "routine",
        "preferences": [
            {"criterion": "modality", "values": ["cbt", "act"], "strength": "wish"},
            {"criterion": "hours", "values": ["tue-17", "thu-17"], "strength": "wish"},
            {"criterion": "therapist_gender", "values": ["woman"], "strength": "wish"},
        ],
        "payer": "payer-a",
        "notes": "Works night shifts; mornings are hard.",
    } | changes


YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
"""A sheet that is old asks for a review, which would be measured too."""


def sheet(instrument: str, *answers: int | None) -> dict[str, Any]:
    return {"instrument": instrument, "taken_on": YESTERDAY, "answers": list(answers)}


def crisis(number: int) -> dict[str, Any]:
    """A plan and intent on the C-SSRS screener."""
    return referral(number, screenings=[sheet("cssrs", 1, 1, 1, 1, 1, 0, None)], requested_priority="stat")


def arguments(about: str | None, **defaults: int) -> argparse.Namespace:
    """`--name N` for each default."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=value, help=f"default {value}")
    return parser.parse_args()
