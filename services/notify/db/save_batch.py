"""Save a verdict: one statement for each kind of row."""

from datetime import datetime

from services.notify.db import acknowledgements, alerts, deliveries, notices
from services.notify.domain.batch import Verdict
from shared.db.postgres import Connection


async def save(connection: Connection, verdict: Verdict, *, now: datetime) -> None:
    await notices.remember(connection, verdict.known)
    await notices.insert(connection, verdict.notices)
    await alerts.put(connection, verdict.alerts)
    await deliveries.insert(connection, verdict.deliveries)
    await notices.reword(connection, verdict.reworded)
    await acknowledgements.settle(connection, verdict.settled, now=now)
    await acknowledgements.end(connection, [one.notice.id for one in verdict.acknowledged])
