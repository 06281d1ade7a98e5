"""Webhooks go by small pools; where the environment names a proxy, by way of that."""

from urllib.request import getproxies_environment

import httpx
import pytest

from services.notify import pools, webhook

HERE = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in HERE:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(pools, "getproxies", getproxies_environment)


async def test_a_host_is_always_served_by_the_same_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, str]] = []

    async def answer(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        asked.append((id(self), request.url.host))
        return httpx.Response(204)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", answer)
    async with webhook.make_client() as client:
        for number in list(range(40)) * 2:
            await client.post(f"http://host-{number}.example/hook")
    served: dict[str, set[int]] = {}
    for pool, host in asked:
        served.setdefault(host, set()).add(pool)
    assert all(len(by) == 1 for by in served.values())
    assert len({pool for pool, _ in asked}) > 10, "the hosts are spread"


def test_a_proxy_of_the_environment_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pools.transport() is not None
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert pools.transport() is None
