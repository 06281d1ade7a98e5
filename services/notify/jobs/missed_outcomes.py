"""Calling again about crises whose outcome nobody recorded in time."""

from datetime import datetime
from typing import Final

from services.notify import outgoing_events
from services.notify.db import acknowledgements, notices, recipients, save_batch
from services.notify.domain import calling_again
from services.notify.domain.ladder import Clocks
from services.notify.reporting import report
from shared.db import outbox
from shared.db.postgres import Connection
from shared.ids import new_id

AT_ONCE: Final = 100


async def call_again(connection: Connection, now: datetime, limit: int, *, clocks: Clocks) -> int:
    crises = await acknowledgements.claim_missed(connection, now=now, limit=limit)
    if crises:
        known = await notices.known(connection, {crisis.notice.referral_id for crisis in crises})
        directory = await recipients.directory(
            connection, regions={crisis.notice.region for crisis in crises}
        )
        verdict = calling_again.missed(crises, known, directory, clocks, now=now, new_id=new_id)
        await save_batch.save(connection, verdict, now=now)
        await outbox.publish(connection, outgoing_events.of(verdict, now=now))
        report(verdict, now=now)
    return len(crises)
