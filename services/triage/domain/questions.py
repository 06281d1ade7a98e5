"""A clinician asks the referrer: the review waits for the answer, with a clock and reminders.

The referral's own clock goes on meanwhile, so the answer is due no later than the response. An answer brings
the review back to the queue; so does the end of the clock, and then somebody is called about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.triage.domain.policy import Policy, Reviewing
from services.triage.domain.state import Asked, Review, Standing
from shared.events import FiredRule
from shared.web.problems import Fault

ASKED: Final = FiredRule(
    rule="asked-the-referrer",
    datum="asked by a clinician",
    text="A clinician has asked the referrer for information and looks again when it has come.",
)
ANSWERED: Final = FiredRule(
    rule="referrer-answered",
    datum="changed since a clinician asked",
    text="The referrer has added to the referral since a clinician asked. A clinician looks again.",
)


@dataclass(frozen=True, slots=True)
class Clock:
    answer_by: datetime
    reminders: tuple[datetime, ...]


def clock(standing: Standing, policy: Policy, *, now: datetime) -> Clock:
    """No later than the response is due, or than a response time from now where that has passed."""
    assert standing.urgency is not None and standing.respond_by is not None
    ends = [now + policy.reviewing.answer_within, now + policy.clocks[standing.urgency]]
    if standing.respond_by > now:
        ends.append(standing.respond_by)
    return Clock(min(ends), _reminders(policy.reviewing, now, min(ends)))


def _reminders(reviewing: Reviewing, now: datetime, end: datetime) -> tuple[datetime, ...]:
    return tuple(now + share * (end - now) for share in reviewing.remind_at)


def ask(standing: Standing, codes: tuple[str, ...], policy: Policy, *, by: str, now: datetime) -> Review:
    """The review as it waits for the referrer; one is opened where there was none."""
    assert standing.urgency is not None
    times = clock(standing, policy, now=now)
    before = standing.review
    return Review(
        urgency=standing.urgency,
        review_by=times.answer_by,
        holds=before.holds if before else False,
        reasons=before.reasons if before else (ASKED,),
        opened_at=before.opened_at if before else now,
        due_at=(*times.reminders, times.answer_by)[0],
        asked=Asked(codes=codes, by=by, at=now, reminders=times.reminders),
    )


def reminded(review: Review, *, now: datetime) -> Review:
    """The reminders whose time has come are given together, as one."""
    assert review.asked is not None
    left = tuple(at for at in review.asked.reminders if at > now)
    return replace(review, asked=replace(review.asked, reminders=left), due_at=(*left, review.review_by)[0])


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
