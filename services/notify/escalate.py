"""The loop that takes alerts up their ladders when their time has come."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.notify import alert_store, climb, recipient_store, saving
from services.notify.metrics import OPEN_ALERTS, UNANSWERED
from services.notify.plan import Climber, Plan
from shared import outbox, trace
from shared.events import Lane
from shared.ids import now as present
from shared.postgres import Pool, transaction

AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """One lane's, so that no crisis waits behind reviews."""

    lane: Lane
    pool: Callable[[], Pool]
    committed: Callable[[], None]
    clock: Callable[[], datetime] = present

    async def turn(self) -> bool:
        """True when there may be more alerts due."""
        now = self.clock()
        async with transaction(self.pool()) as connection:
            due = await alert_store.take_due(connection, self.lane, now=now, limit=AT_ONCE)
            if not due:
                return False
            regions = {climber.notice.region for climber in due}
            directory = await recipient_store.directory(connection, regions=regions)
            plan = Plan()
            for climber in due:
                climb.climb(climber, directory, plan, now=now)
            with trace.steps("escalate", map(_origin, due), since=now):
                await outbox.announce(connection, await saving.save(connection, plan, now=now))
        self.committed()
        return len(due) == AT_ONCE


def _origin(climber: Climber) -> trace.Origin:
    notice = climber.notice
    return trace.Origin(notice.referral_id, notice.traceparent, notice.about)


async def measure(pool: Pool) -> None:
    """How many alerts are open, for whoever watches."""
    counts = {row["lane"]: row for row in await pool.fetch(alert_store.OPEN_COUNT)}
    for lane in Lane:
        row = counts.get(lane)
        OPEN_ALERTS.labels(lane).set(row["open"] if row else 0)
        UNANSWERED.labels(lane).set(row["unanswered"] if row else 0)
