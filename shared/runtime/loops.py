"""Periodic jobs: at an interval, sooner when woken, at once while there is more to do."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from aiokafka.errors import KafkaError

from shared.backoff import Backoff
from shared.db.postgres import TRANSIENT, Connection, Pool, transaction
from shared.errors import Transient, code_of
from shared.ids import now as present
from shared.telemetry import logs
from shared.telemetry.health import Turning

log = logs.get(__name__)

Job = Callable[[], Awaitable[bool | None]]
"""True when there is more to do now."""

NOT_READY: Final = (Transient, KafkaError, *TRANSIENT)
"""The world is not ready: wait, try again."""


@dataclass
class Loop:
    """Retries with back-off while Postgres or Kafka is away. A bug stops it, and its health says so."""

    seconds: float
    name: str
    job: Job
    turning: Turning
    after_commits: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until it is cancelled or stops by a bug."""
        backoff = Backoff(0.5, 10)
        while True:
            self.woken.clear()
            self.turning.begin()
            try:
                more = await self.job()
                backoff.succeeded()
            except NOT_READY as error:
                more = False
                backoff.failed()
                log.warning("will try again", action=self.name, error=code_of(error))
            except Exception as error:
                self.turning.stopped = type(error).__name__
                log.critical("loop stopped", action=self.name, exc_info=error)
                return
            finally:
                self.turning.end()
            if not more:
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(backoff.pause, self.seconds)):
                        await self.woken.wait()


Work = Callable[[Connection, datetime, int], Awaitable[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJob:
    """A job of one transaction a turn: `work` acts on up to `limit` of what is due, and returns the count."""

    work: Work
    limit: int
    pool: Callable[[], Pool]
    committed: Callable[[], None]
    clock: Callable[[], datetime] = present

    async def turn(self) -> bool:
        """True when there may be more due."""
        now = self.clock()
        async with transaction(self.pool()) as connection:
            done = await self.work(connection, now, self.limit)
        if done:
            self.committed()
        return done == self.limit


def debounce(call: Callable[[], None], *, seconds: float) -> Callable[[], None]:
    """Calls that come within `seconds` become one, at their end; a later one gets its own."""
    pending = False

    def fire() -> None:
        nonlocal pending
        pending = False
        call()

    def debounced() -> None:
        nonlocal pending
        if not pending:
            pending = True
            asyncio.get_running_loop().call_later(seconds, fire)

    return debounced
