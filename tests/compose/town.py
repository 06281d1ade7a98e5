"""The made-up town of the journey, behind the gateway: its clinics send again until they are answered."""

from dataclasses import dataclass
from typing import Any

import httpx

from careroute.client import Api
from careroute.demo.endpoints import Endpoints
from shared.web.auth import Role
from tests.journey.town import crisis, load, referral
from tests.support import eventually

__all__ = ["Town", "crisis", "load", "referral"]


@dataclass
class Town:
    api: Api
    endpoints: Endpoints

    async def submit(self, key: str, body: dict[str, Any], *, clinic: str = "clinic-1") -> str:
        """The referral's id; sent again with its key while the service is away."""
        response = await self._answer(
            "POST",
            "intake",
            "/v1/referrals",
            role=Role.CLINIC,
            clinic=clinic,
            headers={"Idempotency-Key": key},
            json=body,
        )
        response.raise_for_status()
        id: str = response.json()["id"]
        return id

    async def _answer(self, method: str, service: str, path: str, **request: Any) -> httpx.Response:
        """What a service says of a request that may be sent again."""

        async def answer() -> httpx.Response | None:
            try:
                response = await self.api.call(method, service, path, **request)
            except httpx.TransportError:
                return None
            return None if response.status_code >= 500 or response.status_code == 429 else response

        return await eventually(answer, seconds=90, what=f"an answer to {method} {path}")

    async def referral(self, id: str) -> Any:
        return await self.api.get("intake", f"/v1/referrals/{id}", role=Role.COORDINATOR)

    async def is_in(self, id: str, *states: str, seconds: float = 60) -> Any:
        async def there() -> Any:
            seen = await self.referral(id)
            return seen if seen["state"] in states else None

        return await eventually(there, seconds=seconds, what=f"{id} in {states}")

    async def is_called(self, id: str, who: str = "psychiatrist-north", *, seconds: float = 30) -> Any:
        """The first alert about a referral to somebody whose id begins so."""

        async def told() -> Any:
            found = [one for one in self.endpoints.deliveries if one.body["referral_id"] == id]
            called = [one for one in found if one.body["type"] == "alert" and one.recipient.startswith(who)]
            return called[0] if called else None

        return await eventually(told, seconds=seconds, what=f"a call of {who} about {id}")

    async def acknowledge_all(self) -> None:
        """Who is on call answers every alert there is, and records what came of it."""
        for notice in await self._notices("state=open"):
            path = f"/v1/notices/{notice['id']}/acknowledgement"
            answer = await self._answer("POST", "notify", path, role=Role.ONCALL, subject="oncall", json={})
            assert answer.is_success or answer.status_code == 409, answer.text
        for notice in await self._notices("state=awaiting_outcome"):
            path, body = f"/v1/notices/{notice['id']}/outcome", {"outcome": "reached"}
            answer = await self._answer("POST", "notify", path, role=Role.ONCALL, subject="oncall", json=body)
            assert answer.is_success or answer.status_code == 409, answer.text

    async def is_answered(self, id: str) -> bool:
        """Whether somebody has acknowledged what was alerted about a referral, and nothing is still open."""
        states = {one["state"] for one in await self._notices(f"referral_id={id}")}
        return "acknowledged" in states and "open" not in states

    async def _notices(self, query: str) -> Any:
        answer = await self._answer("GET", "notify", f"/v1/notices?{query}&limit=500", role=Role.ONCALL)
        answer.raise_for_status()
        return answer.json()["notices"]
