"""The network between the services and Kafka: a port for each node; it can be cut and can fall silent."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from careroute.local.ports import HOST, free_port

CHUNK = 65_536


@dataclass
class Proxy:
    """Listens on `port` and passes on to `target`. Cut: connections break and none is taken. Silent: they
    stand, and nothing comes through."""

    port: int = field(default_factory=free_port)
    target: int = 0
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _open: asyncio.Event = field(default_factory=asyncio.Event)

    async def heal(self) -> None:
        self._open.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._pass, HOST, self.port)

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def fall_silent(self) -> None:
        self._open.clear()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self.target)
        except OSError:
            self._drop(writer)
            return
        self._writers.add(far_writer)
        both = (self._copy(reader, far_writer), self._copy(far_reader, writer))
        try:
            await asyncio.gather(*both)
        finally:
            self._drop(writer)
            self._drop(far_writer)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Either end closing closes both."""
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.transport.abort()
