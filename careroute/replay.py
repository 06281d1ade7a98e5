"""Kafka is the road, Postgres is the record: send again what was said since a time. Nobody does it twice."""

import asyncio
import time
from datetime import datetime
from typing import Final
from uuid import UUID

from careroute import dead
from careroute.acted import connected, not_acted_on, parked_events
from careroute.network import Network
from shared import outbox

ASK_AGAIN_SECONDS: Final = 5

UNSEND_THESE: Final = "update outbox set sent_at = null where sent_at is not null and event_id = any($1)"


async def replay(network: Network, services: tuple[str, ...], since: datetime) -> dict[str, int]:
    """Marks facts as unsent, for the relays to send in their old order; returns how many, by service."""
    async with connected(network) as databases:
        return {name: _count(await databases[name].execute(outbox.UNSEND, since)) for name in services}


async def until_acted_on(network: Network, *, seconds: float) -> int:
    """Waits until everybody has acted on every fact sent; returns how many are still missing at the end.

    A consumer that was still reading from where the lost log had ended may pass over what is sent again, so
    what nobody has acted on is sent once more.
    """
    until = time.monotonic() + seconds
    async with connected(network) as databases:
        before: set[UUID] = set()
        while True:
            parked = parked_events(await dead.read_all(network.kafka_settings()))
            missing: dict[str, set[UUID]] = {}
            async for source, _, event in not_acted_on(databases, parked, grace_seconds=0):
                missing.setdefault(source, set()).add(event)
            now = {event for events in missing.values() for event in events}
            unsent = [await database.fetchval(outbox.ANY_UNSENT) for database in databases.values()]
            if not now and not any(unsent):
                return 0
            if time.monotonic() > until:
                return len(now)
            for source, events in missing.items():
                if events & before:
                    await databases[source].execute(UNSEND_THESE, list(events & before))
            before = now
            await asyncio.sleep(ASK_AGAIN_SECONDS)


def _count(status: str) -> int:
    return int(status.rsplit(" ", 1)[-1])
