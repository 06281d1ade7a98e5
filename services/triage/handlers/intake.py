"""Intake says something about a referral: triage decides how soon and what kind of care, or asks a person."""

from collections.abc import Sequence
from typing import Final

from services.triage.db import referrals
from services.triage.domain.policy import Policy
from services.triage.domain.rules_decision import Outcome, decide
from shared.db import inbox, outbox
from shared.db.postgres import Connection
from shared.events import AnyFact, IntakeFact
from shared.ids import now

CONSUMER: Final = "triage"
"""One name for both lanes: a fact that came by the other lane has been acted on as well."""


async def on_referral(connection: Connection, facts: Sequence[AnyFact], *, policy: Policy) -> None:
    claimed = await inbox.claim(connection, CONSUMER, [f for f in facts if isinstance(f, IntakeFact)])
    if not claimed:
        return
    standings = await referrals.load(connection, claimed)
    outcomes: list[Outcome] = []
    for fact in claimed:
        outcomes.append(decide(fact, standings[fact.referral_id], policy, now=now()))
        standings[fact.referral_id] = outcomes[-1].standing
    await referrals.save(connection, standings.values())
    await referrals.record(connection, outcomes)
    await outbox.publish(connection, [said for outcome in outcomes for said in outcome.said])
