"""What is measured of a process from outside its work: how far behind, how busy, does it turn?"""

import time
from collections.abc import Iterable

from shared.db.postgres import Pool
from shared.kafka.consumer import Consumer
from shared.telemetry.health import Health
from shared.telemetry.metrics import IN_HAND_SECONDS, POOL_CONNECTIONS, POOL_LIMIT, READY, TURNING


def note_health(health: Health) -> None:
    for name, check in health.live.items():
        TURNING.labels(name).set(check() is None)
    READY.set(not health.not_ready())


def note_consumers(consumers: Iterable[Consumer]) -> None:
    now = time.monotonic()
    for consumer in consumers:
        since = consumer.in_hand_since
        IN_HAND_SECONDS.labels(consumer.group).set(0 if since is None else now - since)


def note_pool(pool: Pool | None) -> None:
    size, idle = (pool.get_size(), pool.get_idle_size()) if pool else (0, 0)
    POOL_CONNECTIONS.labels("in_use").set(size - idle)
    POOL_CONNECTIONS.labels("idle").set(idle)
    POOL_LIMIT.set(pool.get_max_size() if pool else 0)
