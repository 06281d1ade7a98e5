"""The made-up town of the journey, behind the gateway: its clinics send again until they are answered."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx

from careroute.client import Api
from careroute.demo.endpoints import Endpoints
from shared.auth import Role
from tests.journey.town import crisis, load, referral
from tests.support import eventually

__all__ = ["Town", "crisis", "load", "referral"]


@dataclass
class Town:
    api: Api
    endpoints: Endpoints

    async def submit(self, key: str, body: dict[str, Any], *, clinic: str = "clinic-1") -> str:
        """The referral's id; sent again with its key while the service is away."""

        async def answer() -> str | None:
            try:
                response = await self.api.call(
                    "POST",
                    "intake",
                    "/v1/referrals",
                    role=Role.CLINIC,
                    clinic=clinic,
                    headers={"Idempotency-Key": key},
                    json=body,
                )
            except httpx.TransportError:
                return None
            if response.status_code >= 500 or response.status_code == 429:
                await asyncio.sleep(0.1)
                return None
            response.raise_for_status()
            id: str = response.json()["id"]
            return id

        return await eventually(answer, seconds=90, what=f"an answer to {key}")

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
        """Who is on call answers every alert there is."""
        page = await self.api.get("notify", "/v1/notices?state=open&limit=500", role=Role.ONCALL)
        for notice in page["items"]:
            path = f"/v1/notices/{notice['id']}/acknowledgement"
            await self.api.post("notify", path, role=Role.ONCALL, subject="oncall", accept=(409,))
