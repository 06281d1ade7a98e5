"""What becomes of a webhook when the other side misbehaves; by way of a proxy where one is named."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.request import getproxies_environment

import pytest

from careroute.local.ports import free_port
from services.notify.channels.webhook import request, transport
from services.notify.domain.retry import Kind

HERE = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in HERE:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(transport, "getproxies", getproxies_environment)


@asynccontextmanager
async def server(serve: Serve) -> AsyncIterator[str]:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(closing, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/hook"
    finally:
        listening.close()


def says(answer: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    return serve


async def outcome(url: str, *, seconds: float = 5) -> tuple[Kind, str]:
    async with request.make_client() as client:
        found = await request.post(client, url, b"{}", {"Content-Type": "application/json"}, seconds=seconds)
        return found.kind, found.code


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 204 X\r\n\r\n", (Kind.DELIVERED, "http_204")),
        (b"HTTP/1.1 200 X\r\ncontent-length: 90\r\n\r\ncut", (Kind.DELIVERED, "http_200")),
        (
            b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            (Kind.UNWELL, "remote_protocol_error"),
        ),
        (b"HTTP/1.1 302 X\r\nlocation: http://127.0.0.1:1/\r\n\r\n", (Kind.REFUSED, "http_302")),
        (b"HTTP/1.1 503 X\r\nretry-after: 5\r\n\r\n", (Kind.UNWELL, "http_503")),
        (b"", (Kind.UNWELL, "read_error")),
        (b"SSH-2.0-OpenSSH\r\n", (Kind.UNWELL, "remote_protocol_error")),
        (b"HTTP/1.1 200 X\r\nbad header\r\n\r\n", (Kind.UNWELL, "remote_protocol_error")),
    ],
)
async def test_whatever_it_answers_has_an_outcome(answer: bytes, expected: tuple[Kind, str]) -> None:
    async with server(says(answer)) as url:
        assert await outcome(url) == expected


async def test_nobody_listening_is_unwell() -> None:
    assert await outcome(f"http://127.0.0.1:{free_port()}/") == (Kind.UNWELL, "connect_error")


async def test_one_that_does_not_speak_tls_is_unwell() -> None:
    async with server(says(b"HTTP/1.1 204 X\r\n\r\n")) as url:
        kind, _ = await outcome(url.replace("http:", "https:"), seconds=2)
        assert kind is Kind.UNWELL


async def test_a_connection_that_was_closed_meanwhile_is_made_anew() -> None:
    served: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        served.append(1)
        writer.write(b"HTTP/1.1 204 X\r\n\r\n")
        await writer.drain()

    async with server(serve) as url, request.make_client() as client:
        for _ in range(3):
            found = await request.post(client, url, b"{}", {}, seconds=5)
            assert found.code == "http_204"
            await asyncio.sleep(0)
    assert len(served) == 3


async def test_no_cookie_is_kept() -> None:
    cookies: list[bool] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            cookies.append(b"ookie" in await reader.readuntil(b"{}"))
            writer.write(b"HTTP/1.1 204 X\r\nset-cookie: a=b\r\n\r\n")

    async with server(serve) as url, request.make_client() as client:
        for _ in range(2):
            await request.post(client, url, b"{}", {}, seconds=5)
    assert cookies == [False, False]


def test_a_proxy_of_the_environment_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert transport.transport() is None


def test_authorities_are_checked() -> None:
    assert transport.Connections().ssl_context.verify_mode is ssl.CERT_REQUIRED
