"""Responses that explain a match: why this therapist, or why nobody yet."""

from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue

from services.matching.api.offer_models import CRITERIA, OFFER, OfferView
from services.matching.api.waitlist_models import WaitingView
from shared.vocabulary import Urgency

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


class RunnerUp(BaseModel):
    therapist_id: UUID
    therapist_name: str
    score: float
    criteria: list[dict[str, Any]]


class TherapistLimits(BaseModel):
    """A therapist as far as this referral goes: which limits keep them from it, if any."""

    therapist_id: UUID
    therapist_name: str
    eligible: bool
    limits: list[str]
    free_places: int


class Explanation(BaseModel):
    """`offer` is the one that holds a place, with whom it was weighed against; `waiting` says why nobody yet;
    `therapist` is there for `?therapist_id=`."""

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
    therapist: TherapistLimits | None
