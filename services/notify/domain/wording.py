"""The words of notices: to the referrer, a therapist, primary care, a coordinator."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from services.notify.domain.call_state import PSYCHIATRIST
from services.notify.domain.words import (
    CLINIC,
    COORDINATOR,
    PRIMARY_CARE,
    RESPONSE,
    THERAPIST,
    Words,
    at,
    to_referrer,
)
from shared.vocabulary import Urgency

FIRST: Final = "first"
BESIDE: Final = "beside"
"""Primary care's part: before therapy begins, or beside it."""


def on_team(urgency: Urgency, respond_by: datetime) -> Words:
    """A psychiatrist, of what need not be acknowledged."""
    return Words(
        audience=PSYCHIATRIST,
        title="A referral has a part for you",
        text=f"It needs {RESPONSE[urgency]}, due by {at(respond_by)}. Open the referral to read your part.",
        respond_by=respond_by,
    )


def primary_care_part(part: str, respond_by: datetime, *, reachable: bool) -> Words:
    """Primary care, newly on the team; the clinic in its place, where it has no endpoint."""
    if not reachable:
        return Words(
            audience=CLINIC,
            title="Primary care has a part in the referral",
            text=f"{HAND_ON} It is due by {at(respond_by)}.",
            respond_by=respond_by,
        )
    return Words(
        audience=PRIMARY_CARE,
        title="You have a part in the referral",
        text=f"{PART[part]} It is due by {at(respond_by)}.",
        respond_by=respond_by,
    )


PART: Final = {
    FIRST: "Your part comes before therapy begins. Open the referral to read it.",
    BESIDE: "You have a part beside therapy. Open the referral to read it.",
}
HAND_ON: Final = "Primary care has a part in it and no endpoint here: please pass it on."


def ask_again() -> list[Words]:
    """To clinic and primary care: nobody has taken the client on for long."""
    text = (
        "A clinician looks at it again. Please ask the client again and record a new screening; if anything "
        "became worse, it is answered sooner."
    )
    return to_referrer("The referral has waited long", text)


def asked(answer_by: datetime, *, again: bool = False) -> list[Words]:
    """The questions are read behind the link."""
    text = (
        f"Open the referral to read what is asked, and add it there by {at(answer_by)}. The time to respond "
        "to the referral goes on meanwhile; without an answer a clinician decides."
    )
    title = (
        "Reminder: a clinician waits for your answer" if again else "A clinician asks you about a referral"
    )
    return to_referrer(title, text, answer_by)


def triaged(
    urgency: Urgency,
    respond_by: datetime,
    *,
    calls: bool,
    in_review: bool,
    tells: bool = False,
    part: str | None = None,
    reachable: bool = True,
) -> list[Words]:
    """The outcome, to clinic and primary care. `calls`: a psychiatrist on call is asked to acknowledge it;
    `tells`: one is told of their part. `part` is primary care's, `reachable` whether it has an endpoint."""
    text = f"It needs {RESPONSE[urgency]}, due by {at(respond_by)}."
    text += " The psychiatrist on call is being called." if calls else ""
    text += " The psychiatrist on call is told of their part." if tells else ""
    text += " It waits for a clinician's review as well." if in_review else ""
    clinic, primary_care = to_referrer("The referral was triaged", text, respond_by)
    if part:
        primary_care = replace(primary_care, text=f"{text} {PART[part]}")
    if part and not reachable:
        clinic = replace(clinic, text=f"{text} {HAND_ON}")
    return [clinic, primary_care]


def returned(next_step_by: datetime, unanswered: tuple[str, ...]) -> list[Words]:
    """Never without advice and a next step; they are read behind the link."""
    text = (
        f"A clinician gives advice and a next step, due by {at(next_step_by)}. Open the referral to read it."
    )
    referrer = to_referrer("The referral was returned with advice", text, next_step_by)
    return [*referrer, *_alert_goes_on("returned to its referrer", unanswered)]


TERMS: Final = {
    "region": "the region",
    "payer": "the payer",
    "community": "a community that is asked for",
}
"""Parts of a referral that only the network can name, as a notice says them."""


def unknown_terms(terms: Iterable[str]) -> list[Words]:
    """A coordinator: what a sender wrote there is read behind the link."""
    what = [TERMS[term] for term in TERMS if term in set(terms)]
    text = f"This network does not know {_all_of(what)} as the referral states it. "
    if "region" in set(terms):
        text += (
            "No therapist can be found, and the network's own on-call answers for it, until it is corrected. "
        )
    text += "Please open the referral, find out what is meant, and amend it."
    return [
        Words(
            audience=COORDINATOR, title="A referral has something that this network does not know", text=text
        )
    ]


def _all_of(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def proposed(expires_at: datetime) -> list[Words]:
    """An offer, to the therapist; and that there is one, to clinic and primary care."""
    offer = Words(
        audience=THERAPIST,
        title="A client is offered to you",
        text=f"Please accept or decline by {at(expires_at)}; the place is held until then.",
        respond_by=expires_at,
    )
    text = f"A place is held until {at(expires_at)} and the therapist has been asked."
    return [offer, *to_referrer("A therapist was found for the referral", text)]


def accepted() -> list[Words]:
    text = "An appointment is the next step. Open the referral to see who it is."
    return to_referrer("A therapist accepted the referral", text)


def declined(*, answered: bool) -> list[Words]:
    """To the therapist too, where the offer ended without their answer."""
    text = "The next best match is being looked for. You need not do anything."
    referrer = to_referrer("The offer to a therapist ended without acceptance", text)
    return referrer if answered else [*referrer, _place_freed("An offer to you has ended")]


def waitlisted(try_again_by: datetime) -> list[Words]:
    text = (
        f"It is tried again whenever a place becomes free, and by {at(try_again_by)} at the latest. "
        "If the client's situation changes, amend the referral."
    )
    return to_referrer("The referral is on the waiting list", text)


def booked(starts_at: datetime) -> list[Words]:
    return to_referrer("A first appointment is booked", f"It begins at {at(starts_at)}.")


def freed() -> list[Words]:
    """To the therapist who held a place for a referral that is over."""
    return [_place_freed("A referral that you held a place for is over")]


def withdrawn(unanswered: tuple[str, ...]) -> list[Words]:
    text = "Nothing more happens with it. A new referral can be made at any time."
    return [*to_referrer("The referral was withdrawn", text), *_alert_goes_on("withdrawn", unanswered)]


def closed(unanswered: tuple[str, ...]) -> list[Words]:
    text = "Open the referral for its report. A new referral can be made at any time."
    return [*to_referrer("The referral was closed", text), *_alert_goes_on("closed", unanswered)]


def _place_freed(title: str) -> Words:
    text = "The place is free again. You need not do anything."
    return Words(audience=THERAPIST, title=title, text=text, must_reach=False)


def _alert_goes_on(what: str, unanswered: tuple[str, ...]) -> list[Words]:
    """The referral's end does not end an alert that nobody has answered."""
    text = "The alert about it stays open until somebody acknowledges it."
    return [
        Words(audience=audience, title=f"A referral you were called for was {what}", text=text)
        for audience in unanswered
    ]
