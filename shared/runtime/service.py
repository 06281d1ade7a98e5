"""What a running service is made of. `app.py` of each service says what goes in and out; this makes it turn.

The web server answers at once; Postgres and Kafka are waited for in the background, so that a service
started before them becomes ready when they come.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import asyncpg
from fastapi import APIRouter, FastAPI
from faststream.kafka import KafkaBroker
from prometheus_client import disable_created_metrics

from shared import network
from shared.db import agreed, inbox, outbox
from shared.db.postgres import (
    OWN_TABLES,
    SERVER_SETTINGS,
    Connection,
    Pool,
    migrate,
    one_at_a_time,
    open_pool,
    transaction,
)
from shared.errors import Transient, code_of
from shared.events import EXPRESS_TOPICS, Topic
from shared.kafka import client as kafka
from shared.kafka import dead_letter_producer, deserialize, lag, log_ends
from shared.kafka.consumer import Consumer, Handler
from shared.kafka.stall_detector import Standstill
from shared.runtime import gc_tuning, operations, shutdown
from shared.runtime.loops import NOT_READY, Job, Loop
from shared.settings import ServiceSettings
from shared.telemetry import exporters, logs
from shared.telemetry.health import Answers, Health, Turning
from shared.telemetry.metrics import (
    AGREED,
    MEASURED_AT,
    OUTBOX_AGE,
    OUTBOX_DEPTH,
    RELAY_LEADS,
    RETRIES,
    SKIPPED,
    UNKNOWN_VALUES,
)
from shared.vocabulary import Lane
from shared.web import problems
from shared.web.auth import Verifier
from shared.web.edge import Edge

log = logs.get(__name__)

AtStart = Callable[[Connection], Awaitable[None]]

BODY_LIMIT: Final = 1_048_576
AWAY_SECONDS: Final = 30
"""A service whose database has not answered for so long says that it is not ready, as DatabaseAway does."""


class Service:
    """Declares in `app.py`, runs in the lifespan of the FastAPI app that `app()` returns."""

    def __init__(self, name: str, settings: ServiceSettings, *, migrations: Path) -> None:
        logs.configure(name, settings.log_level)
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the series, and say little
        self._last_spans = exporters.record(name, settings.otel_traces_exporter)
        self.name = name
        self.settings = settings
        self.network = network.load(settings.network_file)
        self.health = Health()
        self._postgres = Answers(AWAY_SECONDS)
        self.health.ready["postgres"] = self._postgres.problem
        self._migrations = migrations
        self._pool: Pool | None = None
        self._parking = dead_letter_producer.Parking(self._start_parking)
        self.consumers: list[Consumer] = []
        self._published: set[str] = set()
        self._at_start: list[AtStart] = []
        self._loops: list[Loop] = []
        self._agreed: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._broker: KafkaBroker | None = None
        self._lanes = [lane for lane in Lane if settings.lanes in ("both", lane)]
        self._relays = [self._relay(lane) for lane in self._lanes]
        for lane in Lane:
            RELAY_LEADS.labels(lane).set(0)

    @property
    def pool(self) -> Pool:
        """Raises `Transient` until Postgres has been reached for the first time."""
        if self._pool is None:
            raise Transient("postgres:not_there_yet")
        return self._pool

    def consumes(self, topic: Topic, *, group: str, handler: Handler) -> None:
        """Batches of this topic go to `handler(connection, facts)`, inside a transaction; here or, as the
        lanes of this process are, in another."""
        express = topic in EXPRESS_TOPICS
        if (Lane.EXPRESS if express else Lane.ROUTINE) not in self._lanes:
            return
        consumer = Consumer(
            topic=topic,
            group=group,
            handler=handler,
            max_records=self.settings.express_batch_size if express else self.settings.batch_size,
            pool=lambda: self.pool,
            parking=self._parking,
            done=self.wake,
            turning=Turning(self.settings.stuck_after_seconds),
            standstill=Standstill(self.settings.standstill_seconds),
            max_parked_in_a_row=self.settings.max_parked_in_a_row,
        )
        self.consumers.append(consumer)
        # An alert sees the first one only if it knew of none before.
        RETRIES.labels(group)
        UNKNOWN_VALUES.labels(group, topic)
        for reason in deserialize.SKIPS:
            SKIPPED.labels(group, topic, reason)
        self.health.live[f"consumer:{group}:{topic}"] = consumer.turning.problem
        self.health.ready[f"consumer:{group}:{topic}"] = consumer.membership.problem

    def publishes(self, *topics: Topic) -> None:
        """The topics this service writes; they are made at start if they are missing."""
        self._published.update(topics)

    def at_start(self, job: AtStart) -> None:
        """Run after the migrations of every start, in a transaction, by one replica at a time. It must be
        quick, and do nothing the second time."""
        self._at_start.append(job)

    def topics(self) -> set[str]:
        """What it writes, what it reads, and where it parks what it cannot take."""
        consumed = {str(one.topic) for one in self.consumers}
        dead = {one.topic.dead(one.group) for one in self.consumers}
        return self._published | consumed | dead

    def agrees_on(self, values: Mapping[str, str]) -> None:
        """What this service decides by and another one must too; `careroute reconcile` compares them."""
        self._agreed.update(values)
        for name, value in values.items():
            AGREED.labels(name, value).set(1)

    def every(
        self, seconds: float, name: str, job: Job, *, after_commits: bool = False, lane: Lane | None = None
    ) -> Callable[[], None]:
        """Run `job` again and again; True means there is more to do now. Returns a call that wakes it.

        With `after_commits` each commit that calls `wake` does so too. What belongs to a lane runs where that
        lane does.
        """
        loop = Loop(seconds, name, job, Turning(self.settings.stuck_after_seconds), after_commits)
        if lane is None or lane in self._lanes:
            self._loops.append(loop)
            self.health.live[f"loop:{name}"] = loop.turning.problem
        return loop.woken.set

    def wake(self) -> None:
        """After a commit: the relays have something to send, some loops something to do."""
        self.wake_relays()
        for loop in self._loops:
            if loop.after_commits:
                loop.woken.set()

    def wake_relays(self) -> None:
        """After a commit that concerns no loop."""
        for relay in self._relays:
            relay.woken.set()

    def app(
        self,
        router: APIRouter,
        *,
        title: str,
        description: str,
        streams: frozenset[str] = frozenset(),
    ) -> FastAPI:
        """The web application; `streams` are paths whose bodies have no size limit."""
        app = FastAPI(title=title, description=description, version="1", lifespan=self._lifespan)
        app.state.service = self
        app.state.verifier = Verifier.from_file(self.settings.public_keys, network=self.network)
        app.include_router(router)
        app.include_router(
            operations.routes(self.health, self.consumers, lambda: self._pool, agreed=self._agreed)
        )
        problems.install(app)
        app.add_middleware(Edge, body_limit=BODY_LIMIT, unlimited=streams)
        return app

    # ---- running -------------------------------------------------------------------------------

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
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
            self.health.live["start"] = lambda: f"could not start: {type(error).__name__}"
            log.critical("could not start", action="start", exc_info=error)

    async def _start(self) -> None:
        self._pool = await self._until_there(self._open_database, "postgres")
        await self._until_there(self._make_topics, "kafka")
        for relay in self._relays:
            self._run(relay.run(), f"relay:{relay.lane}")
        for loop in self._loops:
            self._run(loop.run(), f"loop:{loop.name}")
        self._broker = await self._until_there(self._open_broker, "kafka")
        gc_tuning.spare()
        self.health.started = True
        log.info("started", action="start")

    async def _until_there(self, step: Callable[[], Awaitable[Any]], what: str) -> Any:
        pause = 0.2
        while True:
            try:
                return await step()
            except NOT_READY as error:
                log.warning("waiting", action="start", what=what, error=code_of(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5)

    async def _open_database(self) -> Pool:
        pool = await open_pool(self.settings.database_url.get_secret_value(), size=self.settings.pool_size)
        try:
            await migrate(pool, OWN_TABLES, self._migrations)
            await self.run_at_start(pool)
            await self._keep_house(pool)
            await agreed.note(pool, self._agreed)
        except BaseException:
            await pool.close()
            raise
        self.every(300, "house", self._house)
        self.every(5, "measure", self._measure)
        if self._agreed:
            self.every(agreed.SECONDS, "note-agreed", self._note_agreed)
        self.every(log_ends.SECONDS, "measure-lag", self._measure_lag)
        return pool

    async def run_at_start(self, pool: Pool) -> None:
        """What `at_start` was given."""
        for job in self._at_start:
            async with transaction(pool) as connection:
                await one_at_a_time(connection)
                await job(connection)

    async def _keep_house(self, pool: Pool) -> None:
        async with transaction(pool) as connection:
            dropped = await outbox.keep_partitions(connection, days=self.settings.outbox_retention_days)
            await inbox.forget(connection, days=self.settings.inbox_retention_days)
        if dropped:
            log.info("dropped sent facts past retention", action="house", partitions=dropped)

    async def _house(self) -> None:
        await self._keep_house(self.pool)

    async def _note_agreed(self) -> None:
        await agreed.note(self.pool, self._agreed)

    async def _measure(self) -> None:
        depths = {row["lane"]: row for row in await self.pool.fetch(outbox.DEPTH)}
        for lane in Lane:
            row = depths.get(lane)
            OUTBOX_DEPTH.labels(lane).set(row["depth"] if row else 0)
            OUTBOX_AGE.labels(lane).set(row["age"] if row else 0)
        self._postgres.note()
        MEASURED_AT.set_to_current_time()

    async def _measure_lag(self) -> None:
        if any(map(lag.misses_its_topic, self.consumers)):
            await self._make_topics()  # its broker came back without it
        await asyncio.gather(*map(lag.look, self.consumers))  # one that gets no answer keeps no other waiting
        if lag.any_stands_for_good(self.consumers):
            signal.raise_signal(
                signal.SIGTERM
            )  # the web server finishes what is in hand, and ends the process

    async def _make_topics(self) -> None:
        await kafka.create_topics(self.settings, self.topics())

    async def _open_broker(self) -> KafkaBroker:
        broker = kafka.make_broker(self.name, self.settings)
        for consumer in self.consumers:
            subscriber = broker.subscriber(
                consumer.topic,
                group_id=consumer.group,
                auto_offset_reset="earliest",
                batch=True,
                max_records=consumer.max_records,
                batch_timeout_ms=100,
                listener=consumer.membership,
                parser=partial(deserialize.parser, membership=consumer.membership),
                decoder=deserialize.decoder,
            )
            subscriber(_entry(consumer))
            consumer.leave = subscriber.stop
            consumer.reader = partial(getattr, subscriber, "consumer", None)
        try:
            await broker.connect()  # `broker.start` would join one group after the other
            await asyncio.gather(*(subscriber.start() for subscriber in broker.subscribers))
        except BaseException:
            await broker.stop()
            raise
        return broker

    def _relay(self, lane: Lane) -> outbox.Relay:
        async def connect() -> Connection:
            return await asyncpg.connect(
                self.settings.database_url.get_secret_value(),
                timeout=10,
                command_timeout=30,
                server_settings=SERVER_SETTINGS,
            )

        async def start_producer() -> outbox.Producer:
            await self._make_topics()  # a broker that came back empty has none
            producer: outbox.Producer = await kafka.start_producer(f"{self.name}-relay-{lane}", self.settings)
            return producer

        return outbox.Relay(self.name, lane, connect, start_producer)

    async def _start_parking(self) -> dead_letter_producer.Producer:
        producer: dead_letter_producer.Producer = await kafka.start_producer(
            f"{self.name}-parking", self.settings
        )
        return producer

    def _run(self, work: Any, name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.append(task)
        task.add_done_callback(_note_end)
        self.health.live[f"task:{name}"] = lambda: "ended" if task.done() else None

    async def _stop(self) -> None:
        if self._broker is not None:
            await shutdown.leave_kafka(self._broker, seconds=self.settings.shutdown_seconds)
        self.wake()
        if self._pool is not None:
            await shutdown.drain(self._pool)
        await shutdown.end(self._tasks)
        await self._parking.stop()
        if self._pool is not None:
            await shutdown.close(self._pool)
        await asyncio.to_thread(self._last_spans)
        gc_tuning.as_it_was()
        log.info("stopped", action="stop")


def _entry(consumer: Consumer) -> Callable[[list[Any]], Awaitable[None]]:
    async def take(batch: list) -> None:  # type: ignore[type-arg]  # bare, or FastStream validates again
        await consumer.take(batch)

    take.__name__ = f"{consumer.group}:{consumer.topic}"
    return take


def _note_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.critical("task ended", action=task.get_name(), exc_info=error)
