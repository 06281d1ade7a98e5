"""Prometheus' own API, as the test's machine reaches it."""

from typing import Any

import httpx

from tests.compose.host import Host
from tests.support import eventually


class Prometheus:
    def __init__(self, host: Host) -> None:
        self._http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{host.settings['PROMETHEUS_PORT']}/api/v1")

    async def ask(self, path: str, **parameters: str) -> Any:
        answer = await self._http.get(path, params=parameters)
        body = answer.json()
        assert body["status"] == "success", body
        return body["data"]

    async def targets(self) -> list[tuple[str, str]]:
        """The job and the health of each."""
        found = (await self.ask("/targets"))["activeTargets"]
        return sorted((one["labels"]["job"], one["health"]) for one in found)

    async def rules(self) -> list[dict[str, Any]]:
        return [rule for group in (await self.ask("/rules"))["groups"] for rule in group["rules"]]

    async def fires(self, name: str, *, seconds: float = 150, **labels: str) -> None:
        async def firing() -> bool:
            return any(
                one["state"] == "firing" and {"alertname": name, **labels}.items() <= one["labels"].items()
                for one in (await self.ask("/alerts"))["alerts"]
            )

        await eventually(firing, seconds=seconds, what=f"{name} firing for {labels}")

    async def is_quiet(self, name: str, *, seconds: float = 150) -> None:
        async def quiet() -> bool:
            return name not in {one["labels"]["alertname"] for one in (await self.ask("/alerts"))["alerts"]}

        await eventually(quiet, seconds=seconds, what=f"{name} being over")

    async def series(self, query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.ask("/query", query=query))["result"]
        return found

    async def close(self) -> None:
        await self._http.aclose()
