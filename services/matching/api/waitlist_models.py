"""What the waitlist's API answers: why this therapist, or why nobody yet."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue

from services.matching.api.offers import CRITERIA, OFFER, OfferView
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
EXPLANATION: Final[dict[str, JsonValue]] = {
    "referral_id": OFFER["referral_id"],
    "state": "offered",
    "urgency": "routine",
    "offer": OFFER,
    "eligible": 7,
    "considered": 4,
    "runners_up": [
        {
            "therapist_id": "0190163d-8694-739b-aea5-966c26f8ad92",
            "therapist_name": "S. Okafor, PhD",
            "score": 0.6042,
            "criteria": CRITERIA,
        }
    ],
    "earlier_offers": [],
    "waiting": None,
    "therapist": None,
}


class Relaxation(BaseModel):
    """One limit that, given up alone, would open so many therapists with a free place."""

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
    """Most urgent and longest waiting first. `priority` is 0 to 6 and grows with waiting. `next` asks for
    the following page, as `after`; null at the end."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"waiting": [WAITING], "next": None}]})

    waiting: list[WaitingView]
    next: str | None


class RunnerUp(BaseModel):
    therapist_id: UUID
    therapist_name: str
    score: float
    criteria: list[dict[str, Any]]


class Asked(BaseModel):
    """A therapist as far as this referral goes: which limits keep them from it, if any."""

    therapist_id: UUID
    therapist_name: str
    eligible: bool
    limits: list[str]
    free_places: int


class Explanation(BaseModel):
    """`offer` is the one that holds a place, with whom it was weighed against; `waiting` says why nobody yet;
    `therapist` answers `?therapist_id=`."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXPLANATION]})

    referral_id: UUID
    state: str
    urgency: Urgency
    offer: OfferView | None
    eligible: int | None
    considered: int | None
    runners_up: list[RunnerUp]
    earlier_offers: list[OfferView]
    waiting: WaitingView | None
    therapist: Asked | None
