"""Kafka is the road, Postgres is the record: send again what was said since a time. Nobody does it twice."""

import asyncio
import time
from datetime import datetime
from typing import Final
from uuid import UUID

from careroute import dead
from careroute.checks.acted_on import connected, not_acted_on, parked_events
from careroute.network import Network
from shared.db import checks, outbox

ASK_AGAIN_SECONDS: Final = 5


async def replay(network: Network, services: tuple[str, ...], since: datetime) -> dict[str, int]:
    """Marks facts as unsent, for the relays to send in their old order; returns how many, by service."""
    async with connected(network) as databases:
        return {name: _count(await databases[name].execute(outbox.UNSEND, since)) for name in services}


async def until_acted_on(network: Network, *, seconds: float) -> int:
    """Waits until every fact is sent and everybody has acted on it; returns how many are still missing.

    A consumer that was still reading from where the lost log had ended may pass over what is sent again, so
    what nobody has acted on is sent once more. One look may miss what is sent while it looks: it is over when
    two in a row find nothing.
    """
    until = time.monotonic() + seconds
    async with connected(network) as databases:
        before: set[UUID] = set()
        was_clean = False
        while True:
            unsent: int = sum(
                [await database.fetchval(checks.COUNT_UNSENT) for database in databases.values()]
            )
            parked = parked_events(await dead.read_all(network.kafka_settings()))
            missing: dict[str, set[UUID]] = {}
            async for source, _, event in not_acted_on(databases, parked, grace_seconds=0):
                missing.setdefault(source, set()).add(event)
            now = {event for events in missing.values() for event in events}
            clean = not now and not unsent
            if clean and was_clean:
                return 0
            if time.monotonic() > until and not clean:
                return len(now) + unsent
            for source, events in missing.items():
                if events & before:
                    await databases[source].execute(checks.UNSEND_THESE, list(events & before))
            before, was_clean = now, clean
            await asyncio.sleep(ASK_AGAIN_SECONDS)


def _count(status: str) -> int:
    return int(status.rsplit(" ", 1)[-1])
