"""Claiming: the first to write an event's id acts on it; whoever comes later does nothing."""

from collections.abc import Sequence
from typing import TypeVar

from shared.db.postgres import Connection
from shared.events import Fact

F = TypeVar("F", bound=Fact)

CLAIM = """
    insert into inbox (consumer, event_id)
    select $1, event_id from unnest($2::uuid[]) as event_id
    on conflict do nothing
    returning event_id
"""

FORGET = """
    delete from inbox where claimed_at < now() - make_interval(days => $1)
"""


async def claim(connection: Connection, consumer: str, facts: Sequence[F]) -> list[F]:
    """The facts that `consumer` has not acted on before, in their order, each once."""
    if not facts:
        return []
    rows = await connection.fetch(CLAIM, consumer, sorted({fact.event_id for fact in facts}))
    fresh = {row["event_id"] for row in rows}
    claimed = []
    for fact in facts:
        if fact.event_id in fresh:
            fresh.discard(fact.event_id)
            claimed.append(fact)
    return claimed


async def forget(connection: Connection, *, days: int) -> None:
    """Drop claims older than any replay could reach."""
    await connection.execute(FORGET, days)
