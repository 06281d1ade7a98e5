"""Intake says something about a referral: triage decides how soon and what kind of care, or asks a person."""

from collections.abc import Sequence
from typing import Final

from services.triage import store
from services.triage.deciding import decide
from services.triage.rules import Policy
from shared import inbox, outbox
from shared.events import AnyFact, IntakeFact, TriageFact
from shared.ids import now
from shared.postgres import Connection

CONSUMER: Final = "triage"
"""One name for both lanes: a fact that came by the other lane has been acted on as well."""


async def on_referral(connection: Connection, facts: Sequence[AnyFact], *, policy: Policy) -> None:
    claimed = await inbox.claim(connection, CONSUMER, [f for f in facts if isinstance(f, IntakeFact)])
    if not claimed:
        return
    standings = await store.load(connection, claimed)
    said: list[TriageFact] = []
    for fact in claimed:
        standings[fact.referral_id], announced = decide(fact, standings[fact.referral_id], policy, now=now())
        said += announced
    await store.save(connection, standings.values())
    await store.record(connection, said)
    await outbox.announce(connection, said)
