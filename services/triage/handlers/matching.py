"""Matching says who was taken on: triage no longer counts how long they wait."""

from collections.abc import Sequence
from typing import Final

from services.triage.db import referrals
from services.triage.domain.waiting import taken_on
from shared.db import inbox
from shared.db.postgres import Connection
from shared.events import AnyFact, MatchingFact

GROUP: Final = "triage-matching"


async def on_matching(connection: Connection, facts: Sequence[AnyFact]) -> None:
    claimed = await inbox.claim(connection, GROUP, [f for f in facts if isinstance(f, MatchingFact)])
    known = {fact.referral_id: now for fact in claimed if (now := taken_on(fact)) is not None}
    await referrals.note_taken_on(connection, known)
