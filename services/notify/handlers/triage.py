"""A decision of triage: whoever must respond is called, the referrer is notified."""

from collections.abc import Sequence

from services.notify import event_mapping, outgoing_events
from services.notify.db import claims, save_batch, situation
from services.notify.domain.ladder import Clocks
from services.notify.domain.triage_events import decide
from services.notify.reporting import report
from shared.db import outbox
from shared.db.postgres import Connection
from shared.events import AnyFact
from shared.ids import new_id
from shared.ids import now as present
from shared.network import NOTHING_CHECKED, Network


async def handle(
    connection: Connection,
    facts: Sequence[AnyFact],
    *,
    group: str,
    clocks: Clocks,
    network: Network = NOTHING_CHECKED,
) -> None:
    now = present()
    claimed, notified = await claims.claim(connection, group, facts)
    events = event_mapping.triage_events(claimed, network)
    loaded = await situation.of_triage(connection, events, notified)
    verdict = decide(events, loaded, clocks, now=now, new_id=new_id)
    await save_batch.save(connection, verdict, now=now)
    await outbox.publish(connection, outgoing_events.of(verdict, now=now))
    report(verdict, now=now)
