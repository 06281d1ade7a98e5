"""Counts referrals under way, missed deadlines, and the oldest that triage has not decided."""

from services.intake import metrics
from services.intake.db import queries
from services.intake.domain.progress import WHO_ANSWERS_A_CRISIS
from shared.db.postgres import Pool, transaction
from shared.telemetry.metrics import fill
from shared.vocabulary import Urgency


async def count(pool: Pool) -> None:
    async with transaction(pool) as connection:
        under_way = await connection.fetch(queries.UNDER_WAY)
        missed = await connection.fetch(queries.MISSED, sorted(WHO_ANSWERS_A_CRISIS))
        oldest = await connection.fetchval(queries.OLDEST_UNTRIAGED)
    none = metrics.UNTRIAGED
    fill(metrics.REFERRALS, {(row["state"], row["urgency"] or none): row["count"] for row in under_way})
    found = {row["urgency"]: row["count"] for row in missed}
    fill(metrics.MISSED, {(urgency,): found.get(urgency, 0) for urgency in (*Urgency, none)})
    metrics.OLDEST_UNTRIAGED.set(oldest)
