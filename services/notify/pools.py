"""Connections for webhooks, in many small pools.

httpcore looks at every connection of a pool, with a system call for each idle one, whenever a request begins
or ends. One pool for a hundred endpoints spends most of a delivery on that; a small one does not.
"""

import asyncio
from typing import Final
from urllib.request import getproxies

import httpx

POOLS: Final = 32
KEPT: Final = 8
"""Idle connections that each pool keeps, so that all together stay bounded."""


class Pools(httpx.AsyncBaseTransport):
    """A host is always served by the same pool."""

    def __init__(self) -> None:
        context = httpx.create_ssl_context()  # made once: it reads all authorities
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=KEPT)
        self._pools = [httpx.AsyncHTTPTransport(verify=context, limits=limits) for _ in range(POOLS)]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._pools[hash(request.url.netloc) % POOLS].handle_async_request(request)

    async def aclose(self) -> None:
        await asyncio.gather(*(pool.aclose() for pool in self._pools))


def transport() -> httpx.AsyncBaseTransport | None:
    """None where the environment names a proxy: httpx then makes its own, by way of that."""
    return None if getproxies() else Pools()
