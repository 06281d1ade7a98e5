"""What do we say, and to whom? A response time and a link; nothing else leaves this system.

No identity, no clinical detail, no reason codes, and nothing about what a person may do or not do:
a notice may be read on a lock screen by somebody else.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.notify.domain.call_state import CLINICIAN, PSYCHIATRIST
from shared.vocabulary import Urgency

CLINIC: Final = "clinic"
PRIMARY_CARE: Final = "primary_care"
THERAPIST: Final = "therapist"
COORDINATOR: Final = "coordinator"
OPS: Final = "ops"

WHO: Final = {PSYCHIATRIST: "psychiatrist on call", CLINICIAN: "clinician on call"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One thing to notify one audience of. An alert needs an acknowledgement.

    `must_reach`: it is a failure if that audience has no recipient.
    """

    audience: str
    title: str
    text: str
    alert: bool = False
    respond_by: datetime | None = None
    must_reach: bool = True


RESPONSE: Final = {
    Urgency.EMERGENCY: "an immediate response",
    Urgency.VERY_URGENT: "a very urgent response",
    Urgency.URGENT: "an urgent response",
    Urgency.SOON: "a response soon",
    Urgency.ROUTINE: "a routine response",
    Urgency.PREVENTIVE: "a preventive offer",
}


def at(moment: datetime) -> str:
    """To the minute, in UTC, and saying so: readers are in several time zones."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def to_referrer(title: str, text: str, respond_by: datetime | None = None) -> list[Words]:
    """The clinic that referred, and the client's primary care where it has an endpoint of its own."""
    return [
        Words(audience=audience, title=title, text=text, respond_by=respond_by, must_reach=audience == CLINIC)
        for audience in (CLINIC, PRIMARY_CARE)
    ]
