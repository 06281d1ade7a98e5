"""What is on its way is judged by the clock of Postgres, whatever the clock of the service that said it."""

from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import UUID

import pytest

from careroute.checks.acted_on import not_acted_on
from careroute.local import SERVICES
from shared.ids import new_id, now
from tests.support import NewDatabase

SAY = """
    insert into outbox (event_id, type, lane, topic, key, body, occurred_at, sent_at)
    values ($1, 'ReferralTriaged', 'routine', 'triage.decisions.v1', 'north', '', $2, now() - $3::interval)
"""
MINUTES = timedelta(minutes=10)


@pytest.mark.parametrize("wrong", [-MINUTES, timedelta(0), MINUTES])
async def test_a_fact_is_missed_once_it_was_sent_long_enough_ago(
    database: NewDatabase, wrong: timedelta
) -> None:
    just_sent, long_sent = new_id(), new_id()
    async with AsyncExitStack() as stack:
        databases = {
            name: await stack.enter_async_context((await database("shared")).acquire()) for name in SERVICES
        }
        for event, ago in ((just_sent, timedelta(seconds=5)), (long_sent, timedelta(minutes=2))):
            await databases["triage"].execute(SAY, event, now() - ago + wrong, ago)
        missed: set[UUID] = {event async for _, _, event in not_acted_on(databases, {}, grace_seconds=60)}
    assert missed == {long_sent}
