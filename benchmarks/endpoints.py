"""Stands in for everybody's endpoints: several ports, so that deliveries queue for several hosts."""

import asyncio
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, NamedTuple, Self

HOST: Final = "127.0.0.1"
HOSTS: Final = 16
SECRET: Final = "a-secret-for-measuring"
TAKEN: Final = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"


class Call(NamedTuple):
    at: float
    path: bytes
    body: bytes


class Endpoints:
    """`with Endpoints() as endpoints:` listens in a thread of its own. `calls` only ever grows."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.ports: list[int] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def url(self, recipient: str) -> str:
        """The same recipient always has the same host."""
        return f"http://{HOST}:{self.ports[sum(recipient.encode()) % HOSTS]}/{recipient}"

    async def until(self, enough: Callable[[], bool], *, seconds: float) -> bool:
        """Whether it came to be enough in time."""
        limit = time.monotonic() + seconds
        while not enough():
            if time.monotonic() > limit:
                return False
            await asyncio.sleep(0.005)
        return True

    def __enter__(self) -> Self:
        self._thread.start()
        for _ in range(HOSTS):
            serving = asyncio.run_coroutine_threadsafe(
                self._loop.create_server(lambda: _Taker(self.calls), HOST, 0), self._loop
            )
            self.ports.append(serving.result(10).sockets[0].getsockname()[1])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


class _Taker(asyncio.Protocol):
    """Takes POSTs that have a length, one after another."""

    def __init__(self, calls: list[Call]) -> None:
        self._calls = calls
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while True:
            head, found, rest = self._unread.partition(b"\r\n\r\n")
            if not found:
                return
            size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            if len(rest) < size:
                return
            self._calls.append(Call(time.time(), head.split(b" ", 2)[1], rest[:size]))
            self._unread = rest[size:]
            self._transport.write(TAKEN)
