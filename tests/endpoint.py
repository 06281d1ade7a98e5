"""A real HTTP endpoint on the loopback that remembers what it was sent, and answers as it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = tuple[int, dict[str, str]]


@dataclass(frozen=True)
class Call:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Endpoint:
    """`answer` gives status and headers for a call; a slow one never answers until it is let go."""

    url: str
    answer: Callable[[Call], Answer] = lambda call: (204, {})
    calls: list[Call] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    slow: bool = False
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    def said(self, path: str = "/") -> list[dict[str, Any]]:
        return [call.said for call in self.calls if call.path == path]


@asynccontextmanager
async def endpoint(*, slow: bool = False) -> AsyncIterator[Endpoint]:
    callers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        callers[task] = writer
        try:
            while (call := await _read(reader)) is not None:
                await _answer(here, call, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            del callers[task]

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    here = Endpoint(f"http://127.0.0.1:{port}", slow=slow)
    try:
        yield here
    finally:
        here.let_go.set()
        server.close()
        for writer in callers.values():
            writer.close()
        if callers:
            await asyncio.wait(callers, timeout=5)


async def _read(reader: asyncio.StreamReader) -> Call | None:
    first = await reader.readline()
    if not first:
        return None
    headers = {}
    while (line := (await reader.readline()).decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Call(first.decode("latin-1").split(" ")[1], headers, body)


async def _answer(here: Endpoint, call: Call, writer: asyncio.StreamWriter) -> None:
    here.calls.append(call)
    here.at_once += 1
    here.most_at_once = max(here.most_at_once, here.at_once)
    try:
        if here.slow:
            await here.let_go.wait()
        status, headers = here.answer(call)
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n{head}\r\n".encode())
        await writer.drain()
    finally:
        here.at_once -= 1
