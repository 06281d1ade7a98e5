"""What came of a crisis that somebody acknowledged; whoever was not reached is called about again."""

from dataclasses import dataclass
from uuid import UUID

from services.notify import outgoing_events
from services.notify.db import acknowledgements, notices, recipients, save_batch
from services.notify.domain import calling_again
from services.notify.domain.batch import Verdict
from services.notify.domain.calling_again import Crisis
from services.notify.domain.crisis_outcomes import CALLS_AGAIN
from services.notify.domain.ladder import Clocks
from services.notify.domain.refusals import AnotherOutcome
from services.notify.domain.stored_notices import StoredNotice, acknowledged_crisis
from services.notify.outgoing_events import Outcome
from services.notify.reporting import report
from shared.db import outbox
from shared.db.postgres import Connection
from shared.events import CrisisOutcomeRecorded
from shared.ids import new_id
from shared.ids import now as present


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome:
    notice_id: UUID
    outcome: Outcome
    by: str


async def handle(connection: Connection, command: RecordOutcome, *, clocks: Clocks) -> StoredNotice:
    """The alert as it stands afterwards; an outcome is recorded once. Raises a refusal."""
    now = present()
    asked = await notices.load(connection, command.notice_id)
    alert = await notices.load(connection, asked.notice.answers or asked.notice.id)
    crisis = acknowledged_crisis(alert)
    claimed = await acknowledgements.record_outcome(
        connection, crisis.notice.id, outcome=command.outcome, by=command.by, now=now
    )
    if claimed:
        recorded = outgoing_events.outcome_recorded(crisis, command.outcome, command.by, now=now)
        verdict = await _decide(connection, crisis, recorded, clocks)
        await save_batch.save(connection, verdict, now=now)
        await outbox.publish(connection, [recorded, *outgoing_events.of(verdict, now=now)])
        report(verdict, now=now)
    stored = await notices.load(connection, crisis.notice.id)
    if stored.outcome != command.outcome:
        raise AnotherOutcome
    return stored


async def _decide(
    connection: Connection, crisis: Crisis, recorded: CrisisOutcomeRecorded, clocks: Clocks
) -> Verdict:
    if recorded.outcome not in CALLS_AGAIN:
        return Verdict()
    return calling_again.not_reached(
        crisis.notice,
        recorded.event_id,
        await notices.known(connection, {crisis.notice.referral_id}),
        await recipients.directory(connection, regions={crisis.notice.region}),
        clocks,
        now=recorded.occurred_at,
        new_id=new_id,
    )
