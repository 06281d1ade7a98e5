"""Escalating alerts whose next step has come, and measuring those that are open."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.notify import outgoing_events
from services.notify.db import alerts, recipients, save_batch
from services.notify.domain import ladder_step
from services.notify.domain.batch import EscalatingAlert
from services.notify.domain.call_state import PSYCHIATRIST
from services.notify.domain.on_call_gaps import is_gap
from services.notify.metrics import AWAITING_OUTCOME, OPEN_ALERTS, ROTA_GAPS, UNANSWERED
from services.notify.reporting import report
from shared.db import outbox
from shared.db.postgres import Connection, Pool, transaction
from shared.ids import new_id
from shared.ids import now as present
from shared.telemetry import logs, trace
from shared.vocabulary import Lane

log = logs.get(__name__)

AT_ONCE: Final = 100


async def escalate(connection: Connection, now: datetime, limit: int, *, lane: Lane) -> int:
    """Of one lane, so that no crisis waits behind reviews."""
    due = await alerts.claim_due(connection, lane, now=now, limit=limit)
    if due:
        directory = await recipients.directory(connection, regions={one.notice.region for one in due})
        verdict = ladder_step.escalate(due, directory, now=now, new_id=new_id)
        with trace.steps("escalate", map(_origin, due), since=now):
            await save_batch.save(connection, verdict, now=now)
            await outbox.publish(connection, outgoing_events.of(verdict, now=now))
        report(verdict, now=now)
    return len(due)


def _origin(escalating: EscalatingAlert) -> trace.Origin:
    notice = escalating.notice
    return trace.Origin(notice.referral_id, notice.traceparent, notice.about)


async def measure(pool: Pool) -> None:
    """How many alerts are open, for whoever watches."""
    counts = await alerts.open_counts(pool)
    for lane in Lane:
        OPEN_ALERTS.labels(lane).set(counts[lane].open)
        UNANSWERED.labels(lane).set(counts[lane].unanswered)
    AWAITING_OUTCOME.set(await alerts.count_awaiting_outcome(pool))


@dataclass(kw_only=True)
class RotaCheck:
    """Looks for regions whose ladder ends with the first psychiatrist; logs them once a day."""

    pool: Callable[[], Pool]
    clock: Callable[[], datetime] = present
    logged_at: datetime | None = None

    async def turn(self) -> None:
        now = self.clock()
        async with transaction(self.pool()) as connection:
            regions = await recipients.staffed_regions(connection)
            directory = await recipients.directory(connection, regions=regions)
        found = [region for region in regions if is_gap(directory, PSYCHIATRIST, region, now)]
        ROTA_GAPS.set(len(found))
        if found and (self.logged_at is None or now - self.logged_at >= timedelta(days=1)):
            self.logged_at = now
            log.warning("fewer than two psychiatrists are on call", action="check_rota", regions=found)
