"""Events of triage: a referral joins the waitlist, is held for a clinician, or is over.

Nobody is matched here: the commit wakes the rounds of `jobs/rounds.py`. So a batch stays short, and an
express client never queues behind the matching of a routine one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.matching import outgoing_events
from services.matching.db import offers, places, referrals, therapists
from services.matching.db.roster_cache import Snapshot
from services.matching.domain.referrals import Referral
from services.matching.domain.triage_decision import AtStake, Placements, Verdict, at_stake, decide
from services.matching.incoming_events import changes_of
from services.matching.network_terms import facts_in
from shared.db import inbox, outbox
from shared.db.postgres import Connection, clock
from shared.events import AnyFact, TriageFact
from shared.network import NOTHING_CHECKED, Network
from shared.vocabulary import Urgency

CONSUMER: Final = "matching"
"""One name for both lanes: an event that came by the other lane has been acted on as well."""


async def handle(
    connection: Connection,
    facts: Sequence[AnyFact],
    *,
    hours: Mapping[Urgency, float],
    snapshot: Snapshot,
    network: Network = NOTHING_CHECKED,
) -> None:
    """`hours` to respond to an offer, by urgency."""
    claimed = await inbox.claim(connection, CONSUMER, [f for f in facts if isinstance(f, TriageFact)])
    if not claimed:
        return
    changes = changes_of(facts_in(network, claimed))
    stored = await referrals.load(connection, {fact.referral_id for fact in claimed})
    now = await clock(connection)
    placements = await _load(connection, at_stake(stored, changes), snapshot)
    verdict = decide(stored, changes, placements, now=now, hours=hours)
    await _save(connection, verdict, stored, now)
    await outbox.publish(connection, outgoing_events.of_triage(verdict, now=now))


async def _load(connection: Connection, stake: AtStake, snapshot: Snapshot) -> Placements:
    if not stake.placed:
        return Placements({}, {}, {})
    held = {offer.referral_id: offer for offer in await offers.holding(connection, stake.placed)}
    if not stake.offered:
        return Placements(held, {}, {})
    await snapshot.refresh(connection)
    rows = await therapists.load(connection, [held[id_].therapist_id for id_ in stake.offered])
    profiles = {id_: row.profile(snapshot.areas) for id_, row in rows.items()}
    return Placements(held, profiles, snapshot.areas)


async def _save(
    connection: Connection, verdict: Verdict, stored: Mapping[UUID, Referral], now: datetime
) -> None:
    if verdict.ended:
        await offers.save_outcomes(connection, verdict.ended, now=now)
        await places.give_back(connection, verdict.places_freed)
    if verdict.sooner:
        await offers.expire_sooner(connection, verdict.sooner)
    await referrals.save(connection, verdict.referrals, known=stored)
