"""Intake publishes a change of a referral: triage decides its urgency and pathway, or asks a person."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.triage.case_mapping import change_of
from services.triage.db import referrals
from services.triage.db.referrals import Decision, Referral
from services.triage.domain import rules_decision
from services.triage.domain.policy import Policy
from services.triage.outgoing_events import decision_of
from shared.db import inbox, outbox
from shared.db.postgres import Connection
from shared.events import AnyFact, IntakeFact
from shared.ids import now

CONSUMER: Final = "triage"
"""One name for both lanes: an event that came by the other lane has been acted on as well."""


async def handle(connection: Connection, events: Sequence[AnyFact], *, policy: Policy) -> None:
    claimed = await inbox.claim(connection, CONSUMER, [e for e in events if isinstance(e, IntakeFact)])
    if not claimed:
        return
    known = await referrals.load(connection, claimed)
    decisions = decide_all(claimed, known, policy, now=now())
    await referrals.save(connection, decisions)
    await outbox.publish(connection, [event for decision in decisions for event in decision.events])


def decide_all(
    events: Sequence[IntakeFact], known: Mapping[UUID, Referral], policy: Policy, *, now: datetime
) -> list[Decision]:
    """In order: a batch may hold several events about one referral."""
    current, decisions = dict(known), []
    for event in events:
        decision = decide(event, current[event.referral_id], policy, now=now)
        current[event.referral_id] = decision.referral
        decisions.append(decision)
    return decisions


def decide(event: IntakeFact, referral: Referral, policy: Policy, *, now: datetime) -> Decision:
    change = change_of(event)
    if change is None:
        return Decision(referral=referral)
    outcome = rules_decision.decide(change, referral.state, policy, now=now)
    if outcome.state is referral.state:
        return Decision(referral=referral)
    return decision_of(outcome, getattr(event, "case", referral.case), policy, now=now)
