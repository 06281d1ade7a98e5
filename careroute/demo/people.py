"""Stands in for people: who is on call acknowledges and records what came of a crisis, clinicians review,
therapists answer offers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from careroute.client import Api
from careroute.demo.endpoints import Endpoints
from shared.web.auth import Role

DECLINES_EVERY: Final = 9
"""Every ninth offer is declined, so that the next best is asked."""


@dataclass
class People:
    """`await people.act()` until cancelled; the counts say what was done."""

    api: Api
    endpoints: Endpoints
    acknowledged: int = 0
    outcomes: int = 0
    reviewed: int = 0
    accepted: int = 0
    declined: int = 0
    _declined_for: set[str] = field(default_factory=set)
    _offers_seen: int = 0

    async def act(self) -> None:
        await asyncio.gather(*(_again(step) for step in (self.acknowledge, self.review, self.answer)))

    async def acknowledge(self) -> None:
        """Somebody on call, whose endpoint was called, says: I have this."""
        page = await self.api.get("notify", "/v1/notices?state=open&limit=500", role=Role.ONCALL)
        called = {delivery.body["notice_id"] for delivery in self.endpoints.deliveries}
        answered = [notice["id"] for notice in page["notices"] if notice["id"] in called]
        paths = [f"/v1/notices/{id}/acknowledgement" for id in answered]
        await asyncio.gather(
            *(
                self.api.post("notify", path, role=Role.ONCALL, subject="oncall-demo", accept=(409,))
                for path in paths
            )
        )
        self.acknowledged += len(paths)
        await self.record_outcomes()

    async def record_outcomes(self) -> None:
        """Whoever acknowledged a crisis reached the client."""
        page = await self.api.get("notify", "/v1/notices?state=awaiting_outcome&limit=500", role=Role.ONCALL)
        paths = [f"/v1/notices/{notice['id']}/outcome" for notice in page["notices"]]
        body = {"outcome": "reached"}
        await asyncio.gather(
            *(
                self.api.post("notify", path, body, role=Role.ONCALL, subject="oncall-demo", accept=(409,))
                for path in paths
            )
        )
        self.outcomes += len(paths)

    async def review(self) -> None:
        """A triage clinician agrees with the rules, and settles consent where that was asked."""
        page = await self.api.get("triage", "/v1/reviews?limit=500", role=Role.CLINICIAN)
        await asyncio.gather(*(self._settle(review) for review in page["reviews"]))

    async def _settle(self, review: dict[str, Any]) -> None:
        reason = "consent_settled" if review["holds"] else "agrees"
        word = {"action": "confirm", "seen": review["decision"], "reason": reason}
        await self.api.post(
            "triage",
            f"/v1/reviews/{review['referral_id']}/decision",
            word,
            role=Role.CLINICIAN,
            subject="clinician-demo",
            accept=(404, 409),
        )
        self.reviewed += 1

    async def answer(self) -> None:
        """Therapists take most clients they are offered, and never decline one client twice."""
        page = await self.api.get("matching", "/v1/offers?state=open&limit=500", role=Role.COORDINATOR)
        await asyncio.gather(*(self._answer_one(offer) for offer in page["offers"]))

    async def _answer_one(self, offer: dict[str, Any]) -> None:
        self._offers_seen += 1
        if self._offers_seen % DECLINES_EVERY == 0 and offer["referral_id"] not in self._declined_for:
            self._declined_for.add(offer["referral_id"])
            self.declined += 1
            await self._say(offer, "decline", {"reason": "no_availability"})
        else:
            self.accepted += 1
            await self._say(offer, "acceptance", {})

    async def _say(self, offer: dict[str, Any], word: str, body: dict[str, str]) -> None:
        path = f"/v1/offers/{offer['id']}/{word}"
        await self.api.post("matching", path, body, role=Role.COORDINATOR, accept=(404, 409))


async def _again(step: Callable[[], Awaitable[None]]) -> None:
    while True:
        await step()
        await asyncio.sleep(0.3)
