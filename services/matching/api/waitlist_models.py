"""Responses of the waitlist's API: why this therapist, or why nobody yet."""

from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue

from services.matching.api.offer_models import OFFER
from services.matching.domain.referrals import TriagedReferral
from services.matching.domain.state import State
from shared.vocabulary import Urgency

WHY: Final = {
    "no_place": "Therapists who meet every limit have no free place. Whoever frees one is offered at once.",
    "no_eligible_therapist": "No therapist meets every limit.",
    "roster_empty": "The roster is empty. Import it.",
    "held_for_review": "Waits for a clinician's decision before it is matched.",
    "to_be_matched": "Is matched in the next round.",
}


WAITING: Final[dict[str, JsonValue]] = {
    "referral_id": OFFER["referral_id"],
    "clinic": "clinic-riverside",
    "region": "otter",
    "urgency": "routine",
    "priority": 1,
    "waiting_since": "2026-03-02T14:00:00Z",
    "reason": "no_eligible_therapist",
    "why": "No therapist meets every limit. Giving up `must_faith` alone would open 3.",
    "eligible": 0,
    "relaxations": [{"limit": "must_faith", "opens": 3}, {"limit": "payer", "opens": 1}],
    "offers_so_far": 0,
    "tried_again_at": "2026-03-02T14:15:00Z",
}


class Relaxation(BaseModel):
    """One limit that, given up alone, would open this many therapists with a free place."""

    limit: str
    opens: int


class WaitingView(BaseModel):
    referral_id: UUID
    clinic: str
    region: str
    urgency: Urgency
    priority: int
    waiting_since: datetime
    reason: str
    why: str
    eligible: int
    relaxations: list[Relaxation]
    offers_so_far: int
    tried_again_at: datetime | None


class Waitlist(BaseModel):
    """Most urgent and longest waiting first. `priority` is 0 to 6 and grows with waiting.
    `next_cursor` asks for the following page, as `cursor`; null at the end."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"referrals": [WAITING], "next_cursor": None}]})

    referrals: list[WaitingView]
    next_cursor: str | None


def waiting_view(referral: TriagedReferral) -> WaitingView:
    held = referral.state is State.HELD
    reason = "held_for_review" if held else referral.reason or "to_be_matched"
    relaxations = [Relaxation(limit=each.limit, opens=each.opens) for each in referral.relaxations]
    return WaitingView(
        referral_id=referral.id,
        clinic=referral.clinic,
        region=referral.region,
        urgency=referral.urgency,
        priority=referral.level,
        waiting_since=referral.waiting_since,
        reason=reason,
        why=_why(reason, relaxations),
        eligible=referral.eligible or 0,
        relaxations=relaxations,
        offers_so_far=referral.attempt,
        tried_again_at=None if held else referral.try_at,
    )


def _why(reason: str, relaxations: list[Relaxation]) -> str:
    if not relaxations:
        return WHY[reason]
    best = relaxations[0]
    return f"{WHY[reason]} Giving up `{best.limit}` alone would open {best.opens}."
