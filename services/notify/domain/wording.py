"""What do we say, and to whom? A response time and a link; nothing else leaves this system.

No identity, no clinical detail, no reason codes, and nothing about what a person may do or not do:
a notice may be read on a lock screen by somebody else.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from services.notify.domain.call_state import CLINICIAN, PSYCHIATRIST
from services.notify.domain.crisis_outcomes import MISSED, NOT_REACHED
from services.notify.domain.ladder import NOBODY_ON_CALL
from shared.vocabulary import Urgency

CLINIC: Final = "clinic"
PRIMARY_CARE: Final = "primary_care"
THERAPIST: Final = "therapist"
COORDINATOR: Final = "coordinator"
OPS: Final = "ops"

FIRST: Final = "first"
BESIDE: Final = "beside"
"""Primary care's part: before therapy begins, or beside it."""

WHO: Final = {PSYCHIATRIST: "psychiatrist on call", CLINICIAN: "clinician on call"}

STATED_AGAIN: Final = " It was stated again at "


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One thing to tell one audience. An alert needs an answer.

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


def called(urgency: Urgency, respond_by: datetime, *, late: bool = False) -> Words:
    """The psychiatrist on call."""
    return _call(f"A referral needs {RESPONSE[urgency]}", "", respond_by, late=late)


def called_again(urgency: Urgency, respond_by: datetime, *, why: str, late: bool = False) -> Words:
    """The psychiatrist on call, about a crisis that somebody had acknowledged."""
    reason = {
        NOT_REACHED: "Whoever responded reached nobody.",
        MISSED: "Somebody acknowledged it, and no outcome was recorded in time.",
    }[why]
    return _call(f"Called again: a referral needs {RESPONSE[urgency]}", f"{reason} ", respond_by, late=late)


def _call(title: str, why: str, respond_by: datetime, *, late: bool) -> Words:
    due = f"It was due by {at(respond_by)}; respond now." if late else f"Please respond by {at(respond_by)}."
    return Words(
        audience=PSYCHIATRIST,
        title=title,
        text=f"{why}{due} Acknowledge that you have this; until somebody does, the next person is called.",
        alert=True,
        respond_by=respond_by,
    )


def stated_again(text: str, now: datetime) -> str:
    """What was told already, and that it was stated once more."""
    return f"{text.partition(STATED_AGAIN)[0]}{STATED_AGAIN}{at(now)}."


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


def review(urgency: Urgency, review_by: datetime, *, holds: bool) -> list[Words]:
    """A triage clinician; and the referrer, where everything waits for the clinician."""
    clinician = Words(
        audience=CLINICIAN,
        title=f"A referral that may need {RESPONSE[urgency]} waits for your review",
        text=f"Please review it by {at(review_by)}. Acknowledge that you have this; until somebody does, "
        "the next person is asked.",
        alert=True,
        respond_by=review_by,
    )
    if not holds:
        return [clinician]
    text = f"No therapist is looked for until a clinician has reviewed it; that is due by {at(review_by)}."
    return [clinician, *_referrer("A clinician reviews the referral first", text)]


def ask_again() -> list[Words]:
    """To clinic and primary care: nobody has taken the client on for long."""
    text = (
        "A clinician looks at it again. Please ask the client again and record a new screening; if anything "
        "became worse, it is answered sooner."
    )
    return _referrer("The referral has waited long", text)


def overdue(urgency: Urgency, review_by: datetime, *, unanswered: bool) -> list[Words]:
    """A triage clinician: what was to be reviewed has not been; the referrer, if no answer came from them."""
    why = "the referrer has not answered" if unanswered else "nobody has decided"
    clinician = Words(
        audience=CLINICIAN,
        title=f"Past its time: a referral that may need {RESPONSE[urgency]}",
        text=f"It was due by {at(review_by)} and {why}. Please decide now, or find somebody who can. "
        "Acknowledge that you have this; until somebody does, the next is called.",
        alert=True,
        respond_by=review_by,
    )
    if not unanswered:
        return [clinician]
    text = "No answer came in time. A clinician decides without it; you can still add it to the referral."
    return [clinician, *_referrer("A clinician goes on without your answer", text)]


def asked(answer_by: datetime, *, again: bool = False) -> list[Words]:
    """The questions are read behind the link."""
    text = (
        f"Open the referral to read what is asked, and add it there by {at(answer_by)}. The time to respond "
        "to the referral goes on meanwhile; without an answer a clinician decides."
    )
    title = (
        "Reminder: a clinician waits for your answer" if again else "A clinician asks you about a referral"
    )
    return _referrer(title, text, answer_by)


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
    clinic, primary_care = _referrer("The referral was triaged", text, respond_by)
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
    referrer = _referrer("The referral was returned with advice", text, next_step_by)
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
    return [offer, *_referrer("A therapist was found for the referral", text)]


def accepted() -> list[Words]:
    text = "An appointment is the next step. Open the referral to see who it is."
    return _referrer("A therapist accepted the referral", text)


def declined(*, answered: bool) -> list[Words]:
    """To the therapist too, where the offer ended without their answer."""
    text = "The next best match is being looked for. You need not do anything."
    referrer = _referrer("The offer to a therapist ended without acceptance", text)
    return referrer if answered else [*referrer, _place_freed("An offer to you has ended")]


def waitlisted(try_again_by: datetime) -> list[Words]:
    text = (
        f"It is tried again whenever a place becomes free, and by {at(try_again_by)} at the latest. "
        "If the client's situation changes, amend the referral."
    )
    return _referrer("The referral is on the waiting list", text)


def booked(starts_at: datetime) -> list[Words]:
    return _referrer("A first appointment is booked", f"It begins at {at(starts_at)}.")


def freed() -> list[Words]:
    """To the therapist who held a place for a referral that is over."""
    return [_place_freed("A referral that you held a place for is over")]


def withdrawn(unanswered: tuple[str, ...]) -> list[Words]:
    text = "Nothing more happens with it. A new referral can be made at any time."
    return [*_referrer("The referral was withdrawn", text), *_alert_goes_on("withdrawn", unanswered)]


def closed(unanswered: tuple[str, ...]) -> list[Words]:
    text = "Open the referral for its report. A new referral can be made at any time."
    return [*_referrer("The referral was closed", text), *_alert_goes_on("closed", unanswered)]


def alarm(
    reason: str,
    audience: str,
    urgency: Urgency,
    respond_by: datetime | None,
    *,
    acknowledged: Collection[str] = (),
) -> list[Words]:
    """To whoever can reach people by other means. `acknowledged`: whose own part of it somebody has."""
    who = WHO[audience]
    why = f"There is no {who}." if reason == NOBODY_ON_CALL else f"No {who} has acknowledged it."
    others = "".join(f" The part of the {WHO[other]} is acknowledged." for other in sorted(acknowledged))
    how = "take it over" if audience == PSYCHIATRIST else "acknowledge"
    then = f" Reach somebody by other means, or {how}; this repeats until somebody does."
    due = f" It is due by {at(respond_by)}." if respond_by else ""
    title = f"Alarm: a referral that needs {RESPONSE[urgency]} has no answer"
    return [
        Words(audience=to, title=title, text=f"{why}{others}{then}{due}", respond_by=respond_by)
        for to in (COORDINATOR, OPS)
    ]


def part_acknowledged(audience: str, by: str, *, still_open: bool) -> Words:
    """To the others who were called about the same referral."""
    text = f"The part of the {WHO[by]} is acknowledged."
    text += " Yours is still open until somebody acknowledges it." if still_open else ""
    return Words(
        audience=audience, title="Somebody else has acknowledged their part", text=text, must_reach=False
    )


def gap() -> Words:
    """To ops: an alert that hangs on one person."""
    return Words(
        audience=OPS,
        title="Only one person is on call",
        text="An alert was opened, and the psychiatrist on call is the only one to be called before the "
        "alarm. Please put a second person on the rota of the region.",
        must_reach=False,
    )


def at(moment: datetime) -> str:
    """To the minute, in UTC, and saying so: readers are in several time zones."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _referrer(title: str, text: str, respond_by: datetime | None = None) -> list[Words]:
    """The clinic that referred, and the client's primary care where it has an endpoint of its own."""
    return [
        Words(audience=audience, title=title, text=text, respond_by=respond_by, must_reach=audience == CLINIC)
        for audience in (CLINIC, PRIMARY_CARE)
    ]


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
