"""Open offers past their time, or of a therapist who left: the place is free, the client is matched anew."""

from collections.abc import Callable

from services.matching import outgoing_events
from services.matching.db import offers, places, referrals
from services.matching.domain.referrals import TriagedReferral
from services.matching.domain.responses import expire
from shared.db import outbox
from shared.db.postgres import Connection, Pool, clock, transaction


async def expire_offers(*, pool: Callable[[], Pool], limit: int, committed: Callable[[], None]) -> bool:
    """Whether there may be more."""
    async with transaction(pool()) as connection:
        count = await expire_batch(connection, limit=limit)
    if count:
        committed()
    return count == limit


async def expire_batch(connection: Connection, *, limit: int) -> int:
    expired = await offers.expired(connection, now=await clock(connection), limit=limit)
    if not expired:
        return 0
    loaded = await referrals.load(connection, [offer.referral_id for offer in expired])
    triaged = {id_: each for id_, each in loaded.items() if isinstance(each, TriagedReferral)}
    now = await clock(connection)
    outcomes = expire(expired)
    await offers.save_outcomes(connection, outcomes, now=now)
    await places.give_back(connection, [offer.therapist_id for offer in expired])
    await referrals.match_anew(connection, outcomes, now=now)
    events = outgoing_events.of_expiry(outcomes, triaged, now=now)
    with outgoing_events.in_their_traces(triaged, events, since=now):
        await outbox.publish(connection, events)
    return len(expired)
