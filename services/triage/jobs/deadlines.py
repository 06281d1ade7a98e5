"""The loop that does what time alone brings, whichever replica comes first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.triage.db import referrals, reviews
from services.triage.domain import deadlines, waiting
from services.triage.domain.policy import Policy
from shared.db import outbox
from shared.db.postgres import Pool, transaction
from shared.ids import now as present

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
            due = await referrals.load_due(connection, now=now, limit=AT_ONCE)
            if not due:
                return False
            outcomes = [deadlines.tell(standing, self.policy, now=now) for standing in due]
            await reviews.save(connection, {o.standing.referral_id: o.standing.review for o in outcomes})
            await outbox.publish(connection, [fact for outcome in outcomes for fact in outcome.said])
        self.committed()
        return len(due) == AT_ONCE

    async def ask_again(self) -> bool:
        """Those who have waited too long. True when there may be more."""
        now = self.clock()
        async with transaction(self.pool()) as connection:
            since = waiting.since(self.policy, now=now)
            waited = await referrals.load_waited(connection, since, limit=AT_ONCE)
            if not waited:
                return False
            outcomes = [waiting.ask_again(standing, self.policy, now=now) for standing in waited]
            await referrals.save(connection, [outcome.standing for outcome in outcomes])
            await referrals.record(connection, outcomes)
            await outbox.publish(connection, [fact for outcome in outcomes for fact in outcome.said])
        self.committed()
        return len(waited) == AT_ONCE
