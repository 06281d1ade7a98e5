"""What becomes of a referral: the referrer is told, and a therapist of an offer and of its end."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from services.notify import network_terms
from services.notify.db import notices, recipients, save_batch
from services.notify.domain import wording
from services.notify.domain.batch import Plan
from services.notify.domain.call_state import Known
from services.notify.domain.ladder import Clocks
from services.notify.domain.notices import Teller
from services.notify.domain.wording import Words
from shared.db import inbox, outbox
from shared.db.postgres import Connection
from shared.events import (
    AnyFact,
    AppointmentBooked,
    MatchAccepted,
    MatchDeclined,
    MatchingFact,
    MatchProposed,
    ReferralClosed,
    ReferralWaitlisted,
)
from shared.ids import now as present
from shared.kafka.consumer import Handler
from shared.network import NOTHING_CHECKED, Network


def on_matching(group: str, clocks: Clocks, network: Network = NOTHING_CHECKED) -> Handler:
    return partial(_handle, group, clocks, network)


async def _handle(
    group: str, clocks: Clocks, network: Network, connection: Connection, facts: Sequence[AnyFact]
) -> None:
    now = present()
    claimed = await inbox.claim(connection, group, facts)
    fresh = network_terms.in_network([fact for fact in claimed if isinstance(fact, MatchingFact)], network)
    ended = {fact.referral_id for fact in fresh if isinstance(fact, ReferralClosed)}
    known = await notices.known(connection, ended)
    directory = await recipients.directory(
        connection,
        regions={fact.region for fact in fresh},
        clinics={fact.clinic for fact in fresh},
        therapists={therapist for fact in fresh if (therapist := _therapist(fact))},
    )
    teller = Teller(directory=directory, clocks=clocks, plan=Plan(), now=now)
    for fact in fresh:
        before = known.get(fact.referral_id, Known())
        teller.tell(fact, words(fact, before), urgency=fact.urgency, therapist=_therapist(fact))
        if isinstance(fact, ReferralClosed):
            known[fact.referral_id] = before.ended()
    await notices.remember(connection, known)
    await outbox.publish(connection, await save_batch.save(connection, teller.plan, now=now))


def words(fact: MatchingFact, known: Known) -> list[Words]:
    match fact:
        case MatchProposed():
            return wording.proposed(fact.expires_at)
        case MatchAccepted():
            return wording.accepted()
        case MatchDeclined():
            return wording.declined(answered=fact.answered)
        case ReferralWaitlisted():
            return wording.waitlisted(fact.try_again_by)
        case AppointmentBooked():
            return wording.booked(fact.starts_at)
        case ReferralClosed():
            freed = wording.freed() if fact.therapist_id else []
            if known.over:  # triage has told the referrer why
                return freed
            return [*wording.closed(known.waiting_audiences), *freed]
    return []


def _therapist(fact: MatchingFact) -> UUID | None:
    """Who is told of it besides the referrer."""
    match fact:
        case MatchProposed() | MatchDeclined() | ReferralClosed():
            return fact.therapist_id
    return None
