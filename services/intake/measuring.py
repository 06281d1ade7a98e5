"""How referrals go, for whoever watches: counted now and then, and timed as facts arrive."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.intake import metrics, sql
from services.intake.progress import WHO_ANSWERS_A_CRISIS, Progress
from services.intake.timeline import Kept
from shared.events import NoticeAcknowledged, ReferralFact
from shared.metrics import fill
from shared.postgres import Pool, transaction
from shared.vocabulary import Urgency

STEPS: Final = {
    "ReferralTriaged": "triaged",
    "MatchProposed": "offered",
    "MatchAccepted": "accepted",
    "NoticeAcknowledged": "acknowledged",
}


async def count(pool: Pool) -> None:
    async with transaction(pool) as connection:
        under_way = await connection.fetch(sql.UNDER_WAY)
        missed = await connection.fetch(sql.MISSED, sorted(WHO_ANSWERS_A_CRISIS))
        oldest = await connection.fetchval(sql.OLDEST_UNTRIAGED)
    none = metrics.UNTRIAGED
    fill(metrics.REFERRALS, {(row["state"], row["urgency"] or none): row["count"] for row in under_way})
    found = {row["urgency"]: row["count"] for row in missed}
    fill(metrics.MISSED, {(urgency,): found.get(urgency, 0) for urgency in (*Urgency, none)})
    metrics.OLDEST_UNTRIAGED.set(oldest)


def time(
    known: Mapping[UUID, Sequence[Kept]], fresh: Sequence[ReferralFact], stands: Mapping[UUID, Progress]
) -> None:
    """`known` holds what was known before `fresh`, and `fresh`."""
    for fact in fresh:
        for step, seconds in _reached(fact, known[fact.referral_id]):
            urgency = stands[fact.referral_id].urgency or metrics.UNTRIAGED
            metrics.REACHED_SECONDS.labels(step, urgency).observe(seconds)


def _reached(fact: ReferralFact, timeline: Sequence[Kept]) -> Iterator[tuple[str, float]]:
    """The step that this fact is the first to tell of, if it is."""
    step = STEPS.get(fact.type)
    if step is None or not _counts(fact):
        return
    same = [told for told in timeline if told["type"] == fact.type and _same_kind(fact, told)]
    if same[0]["event_id"] != str(fact.event_id):
        return
    submitted = next((told for told in timeline if told["type"] == "ReferralSubmitted"), None)
    if submitted is not None:
        since = datetime.fromisoformat(submitted["occurred_at"])
        yield step, max(0.0, (fact.occurred_at - since).total_seconds())


def _counts(fact: ReferralFact) -> bool:
    return not isinstance(fact, NoticeAcknowledged) or fact.audience in WHO_ANSWERS_A_CRISIS


def _same_kind(fact: ReferralFact, told: Mapping[str, Any]) -> bool:
    return not isinstance(fact, NoticeAcknowledged) or told.get("audience") in WHO_ANSWERS_A_CRISIS
