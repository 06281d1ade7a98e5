"""Matching publishes who was taken on: triage no longer counts how long they wait."""

from collections.abc import Sequence
from typing import Final

from services.triage.db import referrals
from services.triage.domain.waiting import taken_on
from shared.db import inbox
from shared.db.postgres import Connection
from shared.events import AnyFact, MatchingFact, ReferralClosed

GROUP: Final = "triage-matching"


async def handle(connection: Connection, events: Sequence[AnyFact]) -> None:
    claimed = await inbox.claim(connection, GROUP, [e for e in events if isinstance(e, MatchingFact)])
    decided = {
        event.referral_id: taken
        for event in claimed
        if (taken := taken_on(event.type, reason=_reason(event))) is not None
    }
    await referrals.save_taken_on(connection, decided)


def _reason(event: MatchingFact) -> str | None:
    return event.reason if isinstance(event, ReferralClosed) else None
