"""What time alone brings, done by whichever replica comes first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.triage.db import referrals, reviews
from services.triage.domain.deadlines import act_on_deadline
from services.triage.domain.policy import Policy
from services.triage.domain.waiting import ask_again, since
from services.triage.outgoing_events import decision_of
from shared.db import outbox
from shared.db.postgres import Pool, transaction
from shared.ids import now as present

BATCH: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineJob:
    policy: Policy
    pool: Callable[[], Pool]
    committed: Callable[[], None]
    clock: Callable[[], datetime] = present

    async def act_on_reviews(self) -> bool:
        """Overdue reviews and reminders. True when more may be due."""
        now = self.clock()
        async with transaction(self.pool()) as connection:
            due = await referrals.load_due(connection, now=now, limit=BATCH)
            if not due:
                return False
            outcomes = [act_on_deadline(state, self.policy, now=now) for state in due]
            decisions = [decision_of(outcome, None, self.policy, now=now) for outcome in outcomes]
            await reviews.save(connection, {o.state.referral_id: o.state.review for o in outcomes})
            await outbox.publish(connection, [event for decision in decisions for event in decision.events])
        self.committed()
        return len(due) == BATCH

    async def ask_again(self) -> bool:
        """Those who have waited too long. True when there may be more."""
        now = self.clock()
        async with transaction(self.pool()) as connection:
            waited = await referrals.load_waited(connection, since(self.policy, now=now), limit=BATCH)
            if not waited:
                return False
            outcomes = [ask_again(state, self.policy, now=now) for state in waited]
            decisions = [decision_of(outcome, None, self.policy, now=now) for outcome in outcomes]
            await referrals.save(connection, decisions)
            await outbox.publish(connection, [event for decision in decisions for event in decision.events])
        self.committed()
        return len(waited) == BATCH
