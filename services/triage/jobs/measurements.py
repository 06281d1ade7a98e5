"""Counting what waits for a clinician, and what older rules have decided."""

from services.triage import metrics
from services.triage.db import redecision, reviews
from shared.db.postgres import Pool, transaction
from shared.vocabulary import Urgency


async def count(pool: Pool) -> None:
    async with transaction(pool) as connection:
        found = await reviews.count(connection)
    for urgency in Urgency:
        row = found.get(urgency)
        metrics.REVIEWS.labels(urgency).set(row["open"] if row else 0)
        metrics.OVERDUE.labels(urgency).set(row["overdue"] if row else 0)
        metrics.ASKED.labels(urgency).set(row["asked"] if row else 0)
        metrics.CLAIMED.labels(urgency).set(row["claimed"] if row else 0)


async def count_older(pool: Pool, digest: str) -> None:
    async with transaction(pool) as connection:
        metrics.OLDER_RULES.set(await redecision.count(connection, digest))
