"""Kafka is the road, Postgres is the record: send again what was said since a time. Nobody does it twice."""

from datetime import datetime

import asyncpg

from careroute.network import Network
from shared import outbox


async def replay(network: Network, services: tuple[str, ...], since: datetime) -> dict[str, int]:
    """Marks facts as unsent, for the relays to send in their old order; returns how many, by service."""
    counts = {}
    for service in services:
        connection = await asyncpg.connect(network.database(service))
        try:
            status = await connection.execute(outbox.UNSEND, since)
            counts[service] = int(status.rsplit(" ", 1)[-1])
        finally:
            await connection.close()
    return counts
