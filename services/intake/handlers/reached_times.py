"""How long it took until a referral was triaged, offered a therapist, accepted, or acknowledged."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from prometheus_client import Histogram

from services.intake import metrics
from services.intake.domain.progress import WHO_ANSWERS_A_CRISIS, Progress
from services.intake.domain.timeline import Kept
from shared.events import NoticeAcknowledged, ReferralFact

STEPS: Final = {
    "ReferralTriaged": "triaged",
    "MatchProposed": "offered",
    "MatchAccepted": "accepted",
    "NoticeAcknowledged": "acknowledged",
}


def measure(
    known: Mapping[UUID, Sequence[Kept]], fresh: Sequence[ReferralFact], stands: Mapping[UUID, Progress]
) -> None:
    """`known` holds what was known before `fresh`, and `fresh`."""
    timers: dict[tuple[str, str], Histogram] = {}
    for fact in fresh:
        if (step := _first(fact, known[fact.referral_id])) is None:
            continue
        labels = step, stands[fact.referral_id].urgency or metrics.UNTRIAGED
        if labels not in timers:
            timers[labels] = metrics.REACHED_SECONDS.labels(*labels)
        seconds = _since_submission(fact, known[fact.referral_id])
        if seconds is not None:
            timers[labels].observe(seconds)


def _first(fact: ReferralFact, timeline: Sequence[Kept]) -> str | None:
    """The step that this fact is the first to tell of, if it is."""
    step = STEPS.get(fact.type)
    if step is None or not _counts(fact):
        return None
    first = next(told for told in timeline if told["type"] == fact.type and _same_kind(fact, told))
    return step if first["event_id"] == str(fact.event_id) else None


def _since_submission(fact: ReferralFact, timeline: Sequence[Kept]) -> float | None:
    for told in timeline:
        if told["type"] == "ReferralSubmitted":
            since = datetime.fromisoformat(told["occurred_at"])
            return max(0.0, (fact.occurred_at - since).total_seconds())
    return None


def _counts(fact: ReferralFact) -> bool:
    return not isinstance(fact, NoticeAcknowledged) or fact.audience in WHO_ANSWERS_A_CRISIS


def _same_kind(fact: ReferralFact, told: Kept) -> bool:
    return not isinstance(fact, NoticeAcknowledged) or told.get("audience") in WHO_ANSWERS_A_CRISIS
