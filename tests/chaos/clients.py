"""Clinics' systems: each sends its referrals until every one is answered, and some of them again."""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from careroute.client import Api
from shared.web.auth import Role
from tests.journey.town import REGIONS, crisis, phq9, referral

AT_ONCE: Final = 40
"""Most referrals that a clinic has at hand at one time: lines of a batch, or requests side by side."""
PAUSE: Final = 0.3
PATIENCE: Final = 10.0
"""Seconds without an answer, after which a clinic's system asks again."""


def bodies(seed: int, count: int) -> list[dict[str, Any]]:
    """Mostly routine, some that cannot wait, some for a clinician to look at."""
    dice = random.Random(f"referrals of {seed}")
    kinds = (
        referral(),
        crisis(),
        referral(screenings=[phq9(2, 2, 2, 2, 2, 1, 1, 0, 1)]),
        referral(requested_priority="soonish"),
    )
    drawn = dice.choices(kinds, weights=(90, 3, 3, 4), k=count)
    return [body | {"client": body["client"] | {"region": dice.choice(REGIONS)}} for body in drawn]


@dataclass
class Client:
    """By idempotency key its `referrals` and the ids they were given; `differed` is what may not happen."""

    api: Api
    clinic: str
    door: str
    referrals: dict[str, dict[str, Any]]
    seed: int
    taken: dict[str, str] = field(default_factory=dict)
    differed: list[str] = field(default_factory=list)
    tries: int = 0

    async def send_all(self, *, seconds: float) -> None:
        """At an even pace over so many seconds, if the doors stand open."""
        dice = random.Random(f"{self.seed} {self.clinic} {self.door}")
        keys = list(self.referrals)
        started = time.monotonic()
        at_once = min(AT_ONCE, max(1, len(keys) // 20))
        for place in range(0, len(keys), at_once):
            await asyncio.sleep(started + seconds * place / len(keys) - time.monotonic())
            some = keys[place : place + at_once]
            await self._until_answered(some)
            if dice.random() < 0.1:
                await self._send(some)

    async def _until_answered(self, keys: Sequence[str]) -> None:
        while waiting := [key for key in keys if key not in self.taken]:
            await self._send(waiting)
            if any(key not in self.taken for key in waiting):
                await asyncio.sleep(PAUSE)

    async def _send(self, keys: Sequence[str]) -> None:
        self.tries += 1
        if self.door == "batch":
            await self._send_batch(keys)
        else:
            await asyncio.gather(*(self._send_one(key) for key in keys))

    async def _send_batch(self, keys: Sequence[str]) -> None:
        """What was answered before the connection broke is answered."""
        lines = [json.dumps(self.referrals[key] | {"idempotency_key": key}) for key in keys]
        try:
            response = await self.api.call(
                "POST",
                "intake",
                "/v1/referrals/batch",
                role=Role.CLINIC,
                clinic=self.clinic,
                headers={"Content-Type": "application/x-ndjson"},
                timeout=PATIENCE,
                content="\n".join(lines),
            )
        except httpx.HTTPError:
            return
        if not response.is_success:
            self._complain(response.status_code, response.text)
            return
        for text in response.text.splitlines():
            answer = json.loads(text)
            if answer["status"] == 202:
                self._note(keys[answer["line"] - 1], answer["referral"]["id"])
            else:
                self._complain(answer["status"], text)

    async def _send_one(self, key: str) -> None:
        try:
            response = await self.api.call(
                "POST",
                "intake",
                "/v1/referrals",
                role=Role.CLINIC,
                clinic=self.clinic,
                headers={"Idempotency-Key": key},
                timeout=PATIENCE,
                json=self.referrals[key],
            )
        except httpx.HTTPError:
            return
        if response.status_code == 202:
            self._note(key, response.json()["id"])
        else:
            self._complain(response.status_code, response.text)

    def _note(self, key: str, id: str) -> None:
        if self.taken.setdefault(key, id) != id:
            self.differed.append(f"{key} was given {self.taken[key]} and {id}")

    def _complain(self, status: int, text: str) -> None:
        """Busy and away are said with 429 and 503; anything else is not what a retry should meet."""
        if status not in (429, 503):
            self.differed.append(f"{self.door} door answered {status}: {text[:300]}")


def clinics(api: Api, seed: int, count: int) -> list[Client]:
    """Two clinics, each with a system that uses the batch door and one that uses the single door."""
    who = [(clinic, door) for clinic in ("clinic-1", "clinic-2") for door in ("batch", "single")]
    found = [Client(api, clinic, door, {}, seed) for clinic, door in who]
    for number, body in enumerate(bodies(seed, count)):
        found[number % len(found)].referrals[f"chaos-{seed}-{number}"] = body
    return found
