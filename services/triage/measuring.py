"""Counting what waits for a clinician."""

from services.triage import metrics, store
from shared.postgres import Pool, transaction
from shared.vocabulary import Urgency


async def count(pool: Pool) -> None:
    async with transaction(pool) as connection:
        found = await store.count_reviews(connection)
    for urgency in Urgency:
        waiting, overdue = found.get(urgency, (0, 0))
        metrics.REVIEWS.labels(urgency).set(waiting)
        metrics.OVERDUE.labels(urgency).set(overdue)
