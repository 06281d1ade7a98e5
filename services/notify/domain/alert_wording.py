"""The words of alerts, which somebody must acknowledge, and of what becomes of them."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from services.notify.domain.call_state import CLINICIAN, PSYCHIATRIST
from services.notify.domain.crisis_outcomes import MISSED, NOT_REACHED
from services.notify.domain.ladder import NOBODY_ON_CALL
from services.notify.domain.words import COORDINATOR, OPS, RESPONSE, WHO, Words, at, to_referrer
from shared.vocabulary import Urgency

STATED_AGAIN: Final = " It was stated again at "


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
    return [clinician, *to_referrer("A clinician reviews the referral first", text)]


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
    return [clinician, *to_referrer("A clinician goes on without your answer", text)]


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
