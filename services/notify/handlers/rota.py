"""A region's rota is replaced: whoever is on call from now on is called for its open alerts."""

from collections.abc import Sequence
from datetime import datetime

from services.notify.db import alerts, recipients
from services.notify.domain.directory import Directory, Duty
from services.notify.domain.on_call_gaps import check
from shared.db.postgres import Connection
from shared.vocabulary import NETWORK_ROTA


async def handle(connection: Connection, region: str, duties: Sequence[Duty], *, now: datetime) -> Directory:
    """The region's directory afterwards. Raises a refusal for whom the rota cannot name."""
    audiences = await recipients.existing(connection, {duty.recipient for duty in duties})
    check(duties, audiences)
    await recipients.put_rota(connection, region, duties)
    changed = [] if region == NETWORK_ROTA else [region]
    await alerts.look_again_in(connection, changed, now=now)
    return await recipients.directory(connection, regions=[region])
