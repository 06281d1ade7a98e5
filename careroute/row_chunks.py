"""Rows of a large table, read a chunk at a time."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import asyncpg

CHUNK: Final = 20_000


async def row_chunks(
    database: Any, query: str, *arguments: object
) -> AsyncIterator[Sequence[asyncpg.Record]]:
    """Needs a transaction, as every cursor does."""
    cursor = await database.cursor(query, *arguments)
    while rows := await cursor.fetch(CHUNK):
        yield rows
