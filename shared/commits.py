"""Committing offsets, but not for long: a commit that nobody answers is given up.

aiokafka tries one again until it succeeds, with whatever membership it has by then. After a broker that lost
its log, that would note a place of the old log in the new one, and what stands before it would never be read.
What is not committed is read again, which the inbox knows.
"""

import asyncio
from collections.abc import Awaitable
from typing import Final, Protocol

from aiokafka import TopicPartition

from shared import logs

log = logs.get(__name__)

SECONDS: Final = 3


class Reader(Protocol):
    """As much of aiokafka's consumer as FastStream's messages need."""

    def commit(self) -> Awaitable[None]: ...

    def seek(self, partition: TopicPartition, offset: int) -> None: ...


class Commits:
    """In the place of a reader, for those who commit and rewind."""

    def __init__(self, reader: Reader, *, seconds: float = SECONDS) -> None:
        self._reader = reader
        self._seconds = seconds

    async def commit(self) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._reader.commit()
        except TimeoutError:
            log.warning("not committed", action="commit", seconds=self._seconds)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._reader.seek(partition, offset)
