"""Talks to the services' APIs, each call with a token of the role it needs."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Self

import httpx

from careroute import tokens
from careroute.local.errors import StackError
from careroute.network import Network
from shared.web.auth import Role


class Api:
    """`async with Api(network) as api: await api.get("matching", "/v1/offers", role=Role.COORDINATOR)`."""

    def __init__(self, network: Network, *, subject: str = "operator") -> None:
        self._network = network
        self._subject = subject
        self._tokens: dict[tuple[Role, str | None, str], str] = {}
        self._http = httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=50))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    def headers(self, role: Role, *, clinic: str | None = None, subject: str | None = None) -> dict[str, str]:
        """The Authorization header of a caller."""
        who = (role, clinic, subject or self._subject)
        if who not in self._tokens:
            self._tokens[who] = tokens.sign(
                self._network.key, role=role, subject=who[2], clinic=clinic, now=datetime.now(UTC), hours=12
            )
        return {"Authorization": f"Bearer {self._tokens[who]}"}

    async def call(
        self,
        method: str,
        service: str,
        path: str,
        *,
        role: Role,
        clinic: str | None = None,
        subject: str | None = None,
        headers: dict[str, str] | None = None,
        **request: Any,
    ) -> httpx.Response:
        """One request; whatever the status, the response."""
        return await self._http.request(
            method,
            self._network.url(service) + path,
            headers=self.headers(role, clinic=clinic, subject=subject) | (headers or {}),
            **request,
        )

    async def get(self, service: str, path: str, *, role: Role, clinic: str | None = None) -> Any:
        """The JSON of a GET that must succeed."""
        return _json(await self.call("GET", service, path, role=role, clinic=clinic))

    async def put(self, service: str, path: str, body: Any, *, role: Role) -> Any:
        return _json(await self.call("PUT", service, path, role=role, json=body))

    async def post(
        self,
        service: str,
        path: str,
        body: Any = None,
        *,
        role: Role,
        clinic: str | None = None,
        subject: str | None = None,
        headers: dict[str, str] | None = None,
        accept: Iterable[int] = (),
    ) -> Any:
        """The JSON of a POST that must succeed, or end with one of `accept`."""
        answer = await self.call(
            "POST",
            service,
            path,
            role=role,
            clinic=clinic,
            subject=subject,
            headers=headers,
            json=body if body is not None else {},
        )
        return _json(answer, accept)


def _json(answer: httpx.Response, accept: Iterable[int] = ()) -> Any:
    if answer.is_success or answer.status_code in set(accept):
        return answer.json() if answer.content else None
    try:
        why = answer.json().get("detail", "")
    except ValueError:
        why = ""
    path = answer.request.url.path
    raise StackError(f"{answer.request.method} {path} answered {answer.status_code}. {why}")
