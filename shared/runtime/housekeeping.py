"""Background jobs of every service: retention, gauges, values to agree on, stalled consumers."""

import asyncio
import signal

from shared.db import agreed, inbox, outbox, partitions
from shared.db.postgres import Pool, transaction
from shared.kafka import lag, log_ends
from shared.runtime import kafka_connections
from shared.runtime.declaration import Declaration
from shared.telemetry import logs
from shared.telemetry.metrics import MEASURED_AT, OUTBOX_AGE, OUTBOX_DEPTH
from shared.vocabulary import Lane

log = logs.get(__name__)

HOUSE_SECONDS = 300
MEASURE_SECONDS = 5


class Housekeeping:
    def __init__(self, declared: Declaration) -> None:
        self._declared = declared

    def declare(self) -> None:
        declared = self._declared
        declared.every(HOUSE_SECONDS, "house", lambda: self.retain(declared.pool))
        declared.every(MEASURE_SECONDS, "measure", self._measure)
        if declared.agreed:
            declared.every(agreed.SECONDS, "note-agreed", lambda: agreed.note(declared.pool, declared.agreed))
        declared.every(log_ends.SECONDS, "measure-lag", self._measure_lag)

    async def retain(self, pool: Pool) -> None:
        """Makes coming partitions, drops sent events and claims past their retention."""
        settings = self._declared.settings
        async with transaction(pool) as connection:
            dropped = await partitions.keep_partitions(connection, days=settings.outbox_retention_days)
            await inbox.forget(connection, days=settings.inbox_retention_days)
        if dropped:
            log.info("dropped sent events past retention", action="house", partitions=dropped)

    async def _measure(self) -> None:
        depths = {row["lane"]: row for row in await self._declared.pool.fetch(outbox.DEPTH)}
        for lane in Lane:
            row = depths.get(lane)
            OUTBOX_DEPTH.labels(lane).set(row["depth"] if row else 0)
            OUTBOX_AGE.labels(lane).set(row["age"] if row else 0)
        self._declared.postgres.note()
        MEASURED_AT.set_to_current_time()

    async def _measure_lag(self) -> None:
        declared = self._declared
        if any(map(lag.lacks_topic, declared.consumers)):  # its broker came back without it
            await kafka_connections.make_topics(declared.settings, declared.topics())
        await asyncio.gather(*map(lag.look, declared.consumers))  # one without an answer delays no other
        if lag.any_stalled(declared.consumers):
            signal.raise_signal(signal.SIGTERM)  # the web server finishes its requests, and ends the process
