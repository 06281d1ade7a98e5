"""Claiming events; in the same statement, whom an earlier arrival of the same event has notified.

A claim is forgotten after some days. An event that is replayed later than that is claimed again, and still
notifies nobody twice.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from shared.db import inbox
from shared.db.inbox import F
from shared.db.postgres import Connection

CLAIM: Final = f"""
    with claimed as ({inbox.CLAIM})
    select event_id, array(select audience from notice where notice.event_id = claimed.event_id) as notified
    from claimed
"""


async def claim(
    connection: Connection, consumer: str, facts: Sequence[F]
) -> tuple[list[F], frozenset[tuple[UUID, str]]]:
    """The events that `consumer` has not acted on before, in their order, each once; and the audiences that
    were notified of each all the same."""
    by_id = {fact.event_id: fact for fact in reversed(facts)}
    if not by_id:
        return [], frozenset()
    rows = await connection.fetch(CLAIM, consumer, sorted(by_id))
    claimed = {row["event_id"] for row in rows}
    notified = frozenset((row["event_id"], audience) for row in rows for audience in row["notified"])
    return [fact for id, fact in reversed(by_id.items()) if id in claimed], notified
