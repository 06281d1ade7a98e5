"""Which facts have been said and sent, and not been acted on by somebody who must."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final
from uuid import UUID

import asyncpg

from careroute import dead
from careroute.local.environment import SERVICES
from careroute.network import Network
from careroute.row_chunks import row_chunks
from shared.db import checks
from shared.kafka.deserialize import read

Databases = dict[str, Any]
"""A connection to each service's database, by the service's name."""

HOPS: Final = (
    ("intake", "triage", "intake.%", ("triage", "triage-express")),
    ("triage", "matching", "triage.%", ("matching", "matching-express")),
    ("triage", "notify", "triage.%", ("notify-triage", "notify-express")),
    ("triage", "intake", "triage.%", ("intake-triage", "intake-triage-express")),
    ("matching", "triage", "matching.assignments.%", ("triage-matching",)),
    ("matching", "notify", "matching.assignments.%", ("notify-matching",)),
    ("matching", "intake", "matching.assignments.%", ("intake-matching",)),
    ("notify", "intake", "notify.%", ("intake-notices",)),
)
"""Who must have acted on whose facts, and the names under which they claim or park."""


@asynccontextmanager
async def connected(network: Network) -> AsyncIterator[Databases]:
    async with AsyncExitStack() as stack:
        databases: Databases = {}
        for service in SERVICES:
            databases[service] = await asyncpg.connect(network.database(service), timeout=10)
            stack.push_async_callback(databases[service].close)
        yield databases


async def not_acted_on(
    databases: Databases, parked: dict[str, set[UUID]], *, grace_seconds: float
) -> AsyncIterator[tuple[str, str, UUID]]:
    """Each as (who said it, who has not acted on it, the fact's event id)."""
    for source, target, topics, consumers in HOPS:
        aside = {event for name in consumers for event in parked.get(name, ())}
        async with databases[source].transaction():
            async for rows in row_chunks(databases[source], checks.SENT, topics, grace_seconds):
                events = [row[0] for row in rows]
                for (event,) in await databases[target].fetch(checks.UNCLAIMED, events, list(consumers)):
                    if event not in aside:
                        yield source, target, event


def parked_events(parked: Iterable[dead.Parked]) -> dict[str, set[UUID]]:
    """By consumer group, the facts that are set aside and so are not lost."""
    events: dict[str, set[UUID]] = {}
    for one in parked:
        fact = read(one.record).fact
        if fact is not None:
            events.setdefault(one.group, set()).add(fact.event_id)
    return events
