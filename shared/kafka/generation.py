"""One member of a consumer group, from one rebalance to the next.

aiokafka tries a commit again until it succeeds, under whatever membership it has by then, and FastStream's
rewinding knows nothing of memberships. After a broker that lost its log either would note a place of the old
log in the new one, and what stands before it would never be read. So both end with the membership that read
the batch; what was not committed is read again, which the inbox knows.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Protocol

from aiokafka import ConsumerRebalanceListener, TopicPartition

from shared.telemetry import logs

log = logs.get(__name__)


class Reader(Protocol):
    """As much of aiokafka's consumer as FastStream's messages need."""

    def commit(self) -> Awaitable[None]: ...

    def seek(self, partition: TopicPartition, offset: int) -> None: ...


@dataclass
class Generation(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Knows whether this member has been told which partitions are its own, and how often it has joined."""

    settled: bool = False
    number: int = 0
    commit: asyncio.Timeout | None = field(default=None, init=False)
    """The one under way."""

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        self.settled = False
        self.number += 1
        if self.commit is not None:
            self.commit.reschedule(asyncio.get_running_loop().time())

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        self.settled = True

    def problem(self) -> str | None:
        return None if self.settled else "no partitions assigned yet"


@dataclass(frozen=True)
class GenerationReader:
    """In the place of a reader: commits and rewinds under the membership that read a batch, or not at all."""

    reader: Reader
    generation: Generation
    number: int

    async def commit(self) -> None:
        if not self._is_current("commit"):
            return
        try:
            async with asyncio.timeout(None) as self.generation.commit:
                await self.reader.commit()
        except TimeoutError:
            if self._is_current("commit"):
                raise
        finally:
            self.generation.commit = None

    def seek(self, partition: TopicPartition, offset: int) -> None:
        if self._is_current("rewind"):
            self.reader.seek(partition, offset)

    def _is_current(self, action: str) -> bool:
        held = self.generation.number == self.number
        if not held:
            log.warning("not done, the group was joined anew: the batch is read again", action=action)
        return held
