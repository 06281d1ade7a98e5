"""A clinician asks the referrer: the review waits for the response, with a clock and reminders.

The referral's own clock goes on meanwhile, so the response is due no later than the referral's. A response
brings the review back to the queue; so does the end of the clock, and then somebody is called about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.triage.domain.policy import Policy, Reviewing
from services.triage.domain.reasons import Reason
from services.triage.domain.refusal import Fault
from services.triage.domain.state import Asked, Review
from services.triage.domain.urgency import Before

ASKED: Final = Reason(
    rule="asked-the-referrer",
    datum="asked by a clinician",
    text="A clinician has asked the referrer for information and looks again when it has come.",
)
ANSWERED: Final = Reason(
    rule="referrer-answered",
    datum="changed since a clinician asked",
    text="The referrer has added to the referral since a clinician asked. A clinician looks again.",
)


@dataclass(frozen=True, slots=True)
class Clock:
    answer_by: datetime
    reminders: tuple[datetime, ...]


def clock(current: Before, policy: Policy, *, now: datetime) -> Clock:
    """No later than the response is due, or than a response time from now where that has passed."""
    ends = [now + policy.reviewing.answer_within, now + policy.clocks[current.urgency]]
    if current.respond_by > now:
        ends.append(current.respond_by)
    return Clock(min(ends), _reminders(policy.reviewing, now, min(ends)))


def _reminders(reviewing: Reviewing, now: datetime, end: datetime) -> tuple[datetime, ...]:
    return tuple(now + share * (end - now) for share in reviewing.remind_at)


def ask(
    open_: Review | None, current: Before, codes: tuple[str, ...], policy: Policy, *, by: str, now: datetime
) -> Review:
    """The review as it waits for the referrer; one is opened where there was none."""
    times = clock(current, policy, now=now)
    return Review(
        urgency=current.urgency,
        review_by=times.answer_by,
        holds=open_.holds if open_ else False,
        reasons=open_.reasons if open_ else (ASKED,),
        opened_at=open_.opened_at if open_ else now,
        due_at=(*times.reminders, times.answer_by)[0],
        asked=Asked(codes=codes, by=by, at=now, reminders=times.reminders),
    )


def reminded(review: Review, asked: Asked, *, now: datetime) -> Review:
    """The reminders whose time has come are given together, as one."""
    left = tuple(at for at in asked.reminders if at > now)
    return replace(review, asked=replace(asked, reminders=left), due_at=(*left, review.review_by)[0])


def faults(codes: Sequence[str], policy: Policy) -> list[Fault]:
    known = ", ".join(sorted(policy.questions))
    if not codes:
        return [Fault("/questions", f"Say what you ask, by one or more of: {known}.", "questions_missing")]
    found = [
        Fault(f"/questions/{place}", f"Use one of: {known}.", "unknown_question")
        for place, code in enumerate(codes)
        if code not in policy.questions
    ]
    if len(set(codes)) < len(codes):
        found.append(Fault("/questions", "The same question stands here twice.", "asked_twice"))
    return found
