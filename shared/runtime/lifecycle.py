"""How a declared service starts and stops.

The web server answers at once; Postgres and Kafka are waited for in the background, so that a service started
before them becomes ready when they come.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from faststream.kafka import KafkaBroker

from shared.backoff import Backoff
from shared.db import agreed
from shared.db.migrate import OWN_TABLES, migrate, one_at_a_time
from shared.db.postgres import Pool, open_pool, transaction
from shared.errors import code_of
from shared.runtime import gc_tuning, kafka_connections, shutdown
from shared.runtime.declaration import Declaration
from shared.runtime.housekeeping import Housekeeping
from shared.runtime.loops import NOT_READY
from shared.telemetry import logs

log = logs.get(__name__)


class Lifecycle:
    """`last_spans` sends what is left of the trace."""

    def __init__(self, declared: Declaration, *, last_spans: Callable[[], None]) -> None:
        self._declared = declared
        self._last_spans = last_spans
        self._housekeeping = Housekeeping(declared)
        self._tasks: list[asyncio.Task[None]] = []
        self._broker: KafkaBroker | None = None

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        starting = asyncio.create_task(self._start(), name="start")
        starting.add_done_callback(self._note_start)
        try:
            yield
        finally:
            starting.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await starting
            await self._stop()

    def _note_start(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._declared.health.live["start"] = lambda: f"could not start: {type(error).__name__}"
            log.critical("could not start", action="start", exc_info=error)

    async def _start(self) -> None:
        declared = self._declared
        declared.opened(await _until_there(self._open_database, "postgres"))
        await _until_there(self._make_topics, "kafka")
        for relay in declared.relays:
            self._run(relay.run(), f"relay:{relay.lane}")
        for loop in declared.loops:
            self._run(loop.run(), f"loop:{loop.name}")
        self._broker = await _until_there(self._open_broker, "kafka")
        gc_tuning.relax()
        declared.health.started = True
        log.info("started", action="start")

    async def _open_database(self) -> Pool:
        settings = self._declared.settings
        pool = await open_pool(settings.database_url.get_secret_value(), size=settings.pool_size)
        try:
            await migrate(pool, OWN_TABLES, self._declared.migrations)
            await run_at_start(self._declared, pool)
            await self._housekeeping.retain(pool)
            await agreed.note(pool, self._declared.agreed)
        except BaseException:
            await pool.close()
            raise
        self._housekeeping.declare()
        return pool

    async def _make_topics(self) -> None:
        await kafka_connections.make_topics(self._declared.settings, self._declared.topics())

    async def _open_broker(self) -> KafkaBroker:
        declared = self._declared
        return await kafka_connections.open_broker(declared.name, declared.settings, declared.consumers)

    def _run(self, work: Any, name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.append(task)
        task.add_done_callback(_note_end)
        self._declared.health.live[f"task:{name}"] = lambda: "ended" if task.done() else None

    async def _stop(self) -> None:
        declared = self._declared
        if self._broker is not None:
            await shutdown.leave_kafka(self._broker, seconds=declared.settings.shutdown_seconds)
        declared.wake()
        pool = declared.pool_if_open
        if pool is not None:
            await shutdown.drain(pool)
        await shutdown.end(self._tasks)
        await declared.dead_letter_producer.stop()
        if pool is not None:
            await shutdown.close(pool)
        await asyncio.to_thread(self._last_spans)
        gc_tuning.restore()
        log.info("stopped", action="stop")


async def run_at_start(declared: Declaration, pool: Pool) -> None:
    """What `at_start` was given, each in a transaction of its own."""
    for job in declared.start_jobs:
        async with transaction(pool) as connection:
            await one_at_a_time(connection)
            await job(connection)


async def _until_there(step: Callable[[], Awaitable[Any]], what: str) -> Any:
    backoff = Backoff(0.2, 5)
    while True:
        try:
            return await step()
        except NOT_READY as error:
            log.warning("waiting", action="start", what=what, error=code_of(error))
            await asyncio.sleep(backoff.failed())


def _note_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.critical("task ended", action=task.get_name(), exc_info=error)
