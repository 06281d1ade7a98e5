"""What a service consumes and publishes, its periodic jobs, and what it does at its start."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from shared import network
from shared.db import relay
from shared.db.postgres import Connection, Pool
from shared.errors import Transient
from shared.events import EXPRESS_TOPICS, Topic
from shared.kafka import deserialize
from shared.kafka.consumer import Consumer, Handler
from shared.kafka.dead_letter_producer import DeadLetterProducer
from shared.kafka.stall_detector import StallDetector
from shared.runtime import kafka_connections
from shared.runtime.loops import Job, Loop
from shared.settings import ServiceSettings
from shared.telemetry.health import Answers, Health, Turning
from shared.telemetry.metrics import AGREED, RELAY_LEADS, RETRIES, SKIPPED, UNKNOWN_VALUES
from shared.vocabulary import Lane

AtStart = Callable[[Connection], Awaitable[None]]

AWAY_SECONDS: Final = 30
"""A service whose database has not answered for so long says that it is not ready, as DatabaseAway does."""


class Declaration:
    """Filled in `app.py`; `lifecycle.py` runs what it says."""

    def __init__(self, name: str, settings: ServiceSettings, *, migrations: Path) -> None:
        self.name = name
        self.settings = settings
        self.migrations = migrations
        self.network = network.load(settings.network_file)
        self.health = Health()
        self.postgres = Answers(AWAY_SECONDS)
        self.health.ready["postgres"] = self.postgres.problem
        self.lanes = [lane for lane in Lane if settings.lanes in ("both", lane)]
        self.consumers: list[Consumer] = []
        self.loops: list[Loop] = []
        self.start_jobs: list[AtStart] = []
        self.agreed: dict[str, str] = {}
        self.relays: list[relay.Relay] = [
            kafka_connections.make_relay(name, settings, lane, topics=self.topics) for lane in self.lanes
        ]
        self.dead_letter_producer = DeadLetterProducer(
            lambda: kafka_connections.start_dead_letter_producer(name, settings)
        )
        self._published: set[str] = set()
        self._pool: Pool | None = None
        for lane in Lane:
            RELAY_LEADS.labels(lane).set(0)

    @property
    def pool(self) -> Pool:
        """Raises `Transient` until Postgres has been reached for the first time."""
        if self._pool is None:
            raise Transient("postgres:not_there_yet")
        return self._pool

    @property
    def pool_if_open(self) -> Pool | None:
        return self._pool

    def opened(self, pool: Pool) -> None:
        self._pool = pool

    def consumes(self, topic: Topic, *, group: str, handler: Handler) -> None:
        """Batches of this topic go to `handler(connection, facts)`, inside a transaction; here or, as the
        lanes of this process are, in another."""
        express = topic in EXPRESS_TOPICS
        if (Lane.EXPRESS if express else Lane.ROUTINE) not in self.lanes:
            return
        consumer = Consumer(
            topic=topic,
            group=group,
            handler=handler,
            max_records=self.settings.express_batch_size if express else self.settings.batch_size,
            pool=lambda: self.pool,
            dead_letter_producer=self.dead_letter_producer,
            done=self.wake,
            turning=Turning(self.settings.stuck_after_seconds),
            stall_detector=StallDetector(self.settings.standstill_seconds),
            max_parked_in_a_row=self.settings.max_parked_in_a_row,
        )
        self.consumers.append(consumer)
        # An alert sees the first one only if it knew of none before.
        RETRIES.labels(group)
        UNKNOWN_VALUES.labels(group, topic)
        for reason in deserialize.SKIPS:
            SKIPPED.labels(group, topic, reason)
        self.health.live[f"consumer:{group}:{topic}"] = consumer.turning.problem
        self.health.ready[f"consumer:{group}:{topic}"] = consumer.generation.problem

    def publishes(self, *topics: Topic) -> None:
        """The topics this service writes; they are made at start if they are missing."""
        self._published.update(topics)

    def at_start(self, job: AtStart) -> None:
        """Run after the migrations of every start, in a transaction, by one replica at a time. It must be
        quick, and do nothing the second time."""
        self.start_jobs.append(job)

    def topics(self) -> set[str]:
        """What it writes, what it reads, and where it parks what it cannot take."""
        consumed = {str(one.topic) for one in self.consumers}
        dead = {one.topic.dead(one.group) for one in self.consumers}
        return self._published | consumed | dead

    def agrees_on(self, values: Mapping[str, str]) -> None:
        """What this service decides by and another one must too; `careroute reconcile` compares them."""
        self.agreed.update(values)
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
        if lane is None or lane in self.lanes:
            self.loops.append(loop)
            self.health.live[f"loop:{name}"] = loop.turning.problem
        return loop.woken.set

    def wake(self) -> None:
        """After a commit: the relays have something to send, some loops something to do."""
        self.wake_relays()
        for loop in self.loops:
            if loop.after_commits:
                loop.woken.set()

    def wake_relays(self) -> None:
        """After a commit that concerns no loop."""
        for each in self.relays:
            each.woken.set()
