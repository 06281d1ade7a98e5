"""Counts the reviews that wait for a clinician, and the referrals that older rules have decided."""

from services.triage import metrics
from services.triage.db import redecision, reviews
from services.triage.db.reviews import Counts
from shared.db.postgres import Pool, transaction
from shared.vocabulary import Urgency


async def count(pool: Pool) -> None:
    async with transaction(pool) as connection:
        found = await reviews.count(connection)
    for urgency in Urgency:
        counts = found.get(urgency, Counts())
        metrics.REVIEWS.labels(urgency).set(counts.open)
        metrics.OVERDUE.labels(urgency).set(counts.overdue)
        metrics.ASKED.labels(urgency).set(counts.asked)
        metrics.CLAIMED.labels(urgency).set(counts.claimed)


async def count_older(pool: Pool, digest: str) -> None:
    async with transaction(pool) as connection:
        metrics.OLDER_RULES.set(await redecision.count(connection, digest))
