"""What the state depends on in each kept fact, and how a reader sees it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.intake.domain.progress import Heard
from shared.vocabulary import Urgency

Kept = Mapping[str, Any]

WHAT: Final = {
    "ReferralSubmitted": "The referral was received.",
    "ReferralAmended": "The referral was amended.",
    "ScreeningRecorded": "A screening was recorded.",
    "ReferralWithdrawn": "The referral was withdrawn.",
    "ReferralTriaged": "Triage decided how soon somebody must respond and what kind of care is meant.",
    "ReferralReturned": "A clinician returned the referral with advice and a next step.",
    "ReviewRequested": "A clinician was asked to look.",
    "InformationRequested": "A clinician asks the referrer for information.",
    "InformationReminded": "The referrer was reminded of what a clinician asked.",
    "ReviewOverdue": "The time in which a clinician was to look has passed; they are being called.",
    "TriageEnded": "Triage ended.",
    "MatchProposed": "A place with a therapist is held while they answer.",
    "MatchAccepted": "A therapist accepted.",
    "MatchDeclined": "The offer was declined or ran out; the next best is being asked.",
    "ReferralWaitlisted": "There is no place yet; the referral waits and is tried again.",
    "AppointmentBooked": "An appointment was booked.",
    "ReferralClosed": "The referral was closed.",
    "NoticeSent": "A notice was delivered.",
    "NoticeAcknowledged": "A notice was acknowledged.",
    "CrisisOutcomeRecorded": "Somebody who had acknowledged a crisis recorded what came of it.",
    "NoticeFailed": "A notice could not be delivered, or nobody answered it.",
}

_IN_THE_ENTRY: Final = {"event_id", "type", "occurred_at", "revision", "rules", "reasons"}
_OF_THE_REFERRAL: Final = {"referral_id", "clinic", "region"}


def heard(fact: Kept) -> Heard:
    """As far as the state depends on it."""
    due = fact.get("respond_by") or fact.get("review_by") or fact.get("next_step_by")
    urgency, restates = fact.get("urgency"), fact.get("restates")
    return Heard(
        event_id=UUID(fact["event_id"]),
        type=fact["type"],
        occurred_at=datetime.fromisoformat(fact["occurred_at"]),
        revision=fact["revision"],
        decision=fact.get("decision", 0),
        urgency=Urgency(urgency) if urgency else None,
        by=datetime.fromisoformat(due) if due else None,
        in_review=fact.get("in_review", False),
        holds=fact.get("holds", False),
        answer_by=datetime.fromisoformat(fact["answer_by"]) if "answer_by" in fact else None,
        unanswered=fact.get("unanswered", False),
        reason=fact.get("reason"),
        next_step=fact.get("next_step"),
        audience=fact.get("audience"),
        restates=Urgency(restates) if restates else None,
        outcome=fact.get("outcome"),
    )


def when(fact: Kept) -> tuple[datetime, str]:
    """The order in which a timeline is read."""
    return datetime.fromisoformat(fact["occurred_at"]), fact["event_id"]


def entry(fact: Kept) -> dict[str, Any]:
    """A line of the timeline, with its reasons."""
    hidden = _IN_THE_ENTRY | _OF_THE_REFERRAL
    return {
        "event_id": fact["event_id"],
        "type": fact["type"],
        "at": fact["occurred_at"],
        "revision": fact["revision"],
        "what": WHAT.get(fact["type"], fact["type"]),
        "reasons": fact.get("rules") or fact.get("reasons") or [],
        "details": {name: value for name, value in fact.items() if name not in hidden},
    }
