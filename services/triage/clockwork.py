"""The loop that does what time alone brings, whichever replica comes first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.triage import overdue, review_store, store
from services.triage.rules import Policy
from shared import outbox
from shared.ids import now as present
from shared.postgres import Pool, transaction

AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Clockwork:
    policy: Policy
    pool: Callable[[], Pool]
    committed: Callable[[], None]
    clock: Callable[[], datetime] = present

    async def turn(self) -> bool:
        """True when more may be due."""
        now = self.clock()
        async with transaction(self.pool()) as connection:
            due = await store.load_due(connection, now=now, limit=AT_ONCE)
            if not due:
                return False
            outcomes = [overdue.tell(standing, self.policy, now=now) for standing in due]
            await review_store.save(connection, {o.standing.referral_id: o.standing.review for o in outcomes})
            await outbox.announce(connection, [fact for outcome in outcomes for fact in outcome.said])
        self.committed()
        return len(due) == AT_ONCE
