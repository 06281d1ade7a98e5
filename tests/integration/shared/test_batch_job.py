"""A job in batches: one transaction a turn, another at once while there may be more."""

from datetime import UTC, datetime

import pytest

from shared.db.postgres import Connection
from shared.runtime.loops import BatchJob
from tests.support import NewDatabase

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("due", "more", "commits"), [(0, False, 0), (2, False, 1), (3, True, 1)])
async def test_a_full_batch_asks_for_another_turn_and_an_empty_one_tells_nobody(
    database: NewDatabase, due: int, more: bool, commits: int
) -> None:
    pool, committed = await database("notify"), []

    async def work(connection: Connection, now: datetime, limit: int) -> int:
        assert connection.is_in_transaction() and (now, limit) == (NOON, 3)
        return due

    job = BatchJob(
        work=work, limit=3, pool=lambda: pool, committed=lambda: committed.append(1), clock=lambda: NOON
    )
    assert await job.turn() is more
    assert len(committed) == commits
