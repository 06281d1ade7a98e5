"""How a service's work ends: what is in hand is finished, and nothing holds a stop up for ever."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from faststream.kafka import KafkaBroker

from shared.db import outbox
from shared.db.postgres import Pool
from shared.runtime.loops import NOT_READY
from shared.telemetry import logs

log = logs.get(__name__)

GOODBYE_SECONDS: Final = 5
DRAIN_SECONDS: Final = 2


async def leave_kafka(broker: KafkaBroker, *, seconds: float) -> None:
    """What is in hand has so long to be finished; a Kafka that does not answer is left without a word."""
    try:
        async with asyncio.timeout(seconds + GOODBYE_SECONDS):
            await broker.stop()
    except TimeoutError:
        log.warning("left Kafka without its answer", action="stop")


async def drain(pool: Pool) -> None:
    """Give the relays a moment to send what was said last; what is left is sent by the next start."""
    with suppress(TimeoutError, *NOT_READY):
        async with asyncio.timeout(DRAIN_SECONDS):
            while await pool.fetchval(outbox.ANY_UNSENT):
                await asyncio.sleep(0.05)


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """A library may take one cancellation for an error of its own, and the work goes on: asks again."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1)


async def close(pool: Pool) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(pool.close(), GOODBYE_SECONDS)
