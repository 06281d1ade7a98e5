"""The loop that takes alerts up their ladders when their time has come."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.notify.db import alerts, recipients, save_batch
from services.notify.domain import ladder_step
from services.notify.domain.batch import Climber, Plan
from services.notify.domain.call_state import PSYCHIATRIST
from services.notify.domain.on_call_gaps import is_gap
from services.notify.metrics import AWAITING_OUTCOME, OPEN_ALERTS, ROTA_GAPS, UNANSWERED
from shared.db import outbox
from shared.db.postgres import Pool, transaction
from shared.ids import now as present
from shared.telemetry import logs, trace
from shared.vocabulary import Lane

log = logs.get(__name__)

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
            due = await alerts.take_due(connection, self.lane, now=now, limit=AT_ONCE)
            if not due:
                return False
            regions = {climber.notice.region for climber in due}
            directory = await recipients.directory(connection, regions=regions)
            plan = Plan()
            for climber in due:
                ladder_step.climb(climber, directory, plan, now=now)
            with trace.steps("escalate", map(_origin, due), since=now):
                await outbox.publish(connection, await save_batch.save(connection, plan, now=now))
        self.committed()
        return len(due) == AT_ONCE


def _origin(climber: Climber) -> trace.Origin:
    notice = climber.notice
    return trace.Origin(notice.referral_id, notice.traceparent, notice.about)


async def measure(pool: Pool) -> None:
    """How many alerts are open, for whoever watches."""
    counts = {row["lane"]: row for row in await pool.fetch(alerts.OPEN_COUNT)}
    for lane in Lane:
        row = counts.get(lane)
        OPEN_ALERTS.labels(lane).set(row["open"] if row else 0)
        UNANSWERED.labels(lane).set(row["unanswered"] if row else 0)
    AWAITING_OUTCOME.set(await pool.fetchval("select count(*) from crisis_without_outcome"))


@dataclass(kw_only=True)
class RotaCheck:
    """Looks for regions whose ladder ends with the first psychiatrist; says so in the log once a day."""

    pool: Callable[[], Pool]
    clock: Callable[[], datetime] = present
    said_at: datetime | None = None

    async def turn(self) -> None:
        now = self.clock()
        async with transaction(self.pool()) as connection:
            regions = await recipients.staffed_regions(connection)
            directory = await recipients.directory(connection, regions=regions)
        found = [region for region in regions if is_gap(directory, PSYCHIATRIST, region, now)]
        ROTA_GAPS.set(len(found))
        if found and (self.said_at is None or now - self.said_at >= timedelta(days=1)):
            self.said_at = now
            log.warning("fewer than two psychiatrists are on call", action="check_rota", regions=found)
