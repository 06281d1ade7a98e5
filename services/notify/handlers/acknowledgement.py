"""Somebody has an alert: nobody else is called, and the others who were called hear of it."""

from dataclasses import dataclass
from uuid import UUID

from services.notify import outgoing_events
from services.notify.db import acknowledgements, notices, recipients, save_batch
from services.notify.domain.acknowledgements import acknowledge
from services.notify.domain.crisis_outcomes import outcome_due_at
from services.notify.domain.ladder import Clocks
from services.notify.domain.stored_notices import StoredNotice, taken_over
from shared.db import outbox
from shared.db.postgres import Connection
from shared.ids import new_id
from shared.ids import now as present
from shared.vocabulary import URGENCIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """`on_call`: by their role. `reason`: of a takeover."""

    notice_id: UUID
    by: str
    on_call: bool = False
    reason: str | None = None


async def handle(connection: Connection, command: Acknowledge, *, clocks: Clocks) -> StoredNotice:
    """The alert as it stands afterwards; the first to acknowledge counts. Raises a refusal."""
    now = present()
    asked = await notices.load(connection, command.notice_id)
    alert = await notices.load(connection, asked.alert_id)
    audiences = await recipients.existing(connection, [command.by])
    claimed = await acknowledgements.acknowledge(
        connection,
        alert.notice.id,
        by=command.by,
        urgencies=URGENCIES,
        now=now,
        new_id=new_id,
        taken_over=taken_over(
            alert, on_call=command.on_call, recipient_of=audiences.get(command.by), reason=command.reason
        ),
        outcome_due_at=outcome_due_at(
            alert.notice.audience, alert.notice.urgency, alert.notice.respond_by, clocks, acknowledged_at=now
        ),
    )
    if claimed:
        others = await acknowledgements.others(connection, {one.notice.referral_id for one in claimed})
        directory = await recipients.directory(connection, regions={one.notice.region for one in others})
        verdict = acknowledge(claimed, others, directory, now=now, new_id=new_id)
        await acknowledgements.supersede(connection, alert.notice.id, urgencies=URGENCIES, now=now)
        await save_batch.save(connection, verdict, now=now)
        await outbox.publish(connection, outgoing_events.of(verdict, now=now))
    return await notices.load(connection, alert.notice.id)
