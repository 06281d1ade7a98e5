"""The waitlist and the places as metrics."""

from typing import Final

from services.matching import metrics
from services.matching.db import places, waitlist
from services.matching.domain.proposals import NO_ELIGIBLE, NO_PLACE, ROSTER_EMPTY
from shared.db.postgres import Pool, transaction
from shared.vocabulary import Urgency

SECONDS: Final = 15

REASONS: Final = (NO_PLACE, NO_ELIGIBLE, ROSTER_EMPTY, "to_be_matched")


async def count(pool: Pool) -> None:
    async with transaction(pool) as connection:
        waiting = await waitlist.count_by_reason(connection)
        longest = await waitlist.longest_wait(connection)
        free, taken = await places.count(connection)
    for reason in REASONS:
        metrics.WAITING.labels(reason).set(waiting.get(reason, 0))
    for urgency in Urgency:
        metrics.LONGEST_WAIT.labels(urgency).set(longest.get(urgency, 0))
    metrics.PLACES.labels("open").set(free)
    metrics.PLACES.labels("taken").set(taken)
