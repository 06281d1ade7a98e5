"""Work that is done again and again: every so often, sooner when it is woken, at once while there is more."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from aiokafka.errors import KafkaError

from shared.db.postgres import TRANSIENT
from shared.errors import Transient, code_of
from shared.telemetry import logs
from shared.telemetry.health import Turning

log = logs.get(__name__)

Job = Callable[[], Awaitable[bool | None]]
"""True when there is more to do now."""

NOT_READY: Final = (Transient, KafkaError, *TRANSIENT)
"""The world is not ready: wait, try again."""


@dataclass
class Loop:
    """While the world is not ready it tries again; a bug stops it, loudly, which its health then says."""

    seconds: float
    name: str
    job: Job
    turning: Turning
    after_commits: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until it is cancelled or stops by a bug."""
        pause = 0.0
        while True:
            self.woken.clear()
            self.turning.begin()
            try:
                more = await self.job()
                pause = 0.0
            except NOT_READY as error:
                more, pause = False, min(max(pause * 2, 0.5), 10)
                log.warning("will try again", action=self.name, error=code_of(error))
            except Exception as error:
                self.turning.stopped = type(error).__name__
                log.critical("loop stopped", action=self.name, exc_info=error)
                return
            finally:
                self.turning.end()
            if not more:
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(pause, self.seconds)):
                        await self.woken.wait()
