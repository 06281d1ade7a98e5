"""Rules open a review and sharpen it; once open it waits for a person, whatever becomes of its reasons."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from services.triage.domain.claim import after_change
from services.triage.domain.policy import Policy
from services.triage.domain.questions import ANSWERED
from services.triage.domain.reasons import Reason, reasons_of
from services.triage.domain.state import Review
from services.triage.domain.urgency import Verdict
from shared.vocabulary import Urgency

CANNOT_WAIT: Final = Reason(
    rule="referrer-cannot-wait",
    datum="express=true",
    text="The referrer says that this cannot wait. A clinician looks.",
)


def after_rules(
    verdict: Verdict,
    open_: Review | None,
    shown: Sequence[Reason],
    policy: Policy,
    *,
    asked_at: datetime,
    now: datetime,
) -> Review | None:
    """`shown` is what else a clinician should see; `asked_at` is when the referral, or the change to it, was
    taken in."""
    reasons = (*reasons_of(verdict.reviews), *shown)
    if open_ and open_.asked:
        return _answered(open_, verdict, (*reasons, ANSWERED), policy, asked_at)
    if not reasons:
        return replace(open_, holds=False) if open_ else None
    by = look_by(verdict.urgency, policy, asked_at)
    if open_ is None:
        return Review(
            urgency=verdict.urgency,
            review_by=by,
            holds=verdict.holds,
            reasons=reasons,
            opened_at=now,
            due_at=by,
        )
    anew = open_.review_by <= asked_at and bool(verdict.restated)
    return replace(
        open_,
        urgency=verdict.urgency,
        review_by=by if anew else min(by, open_.review_by),
        holds=verdict.holds,
        reasons=(*reasons, *_still_there(open_, verdict, reasons, policy)),
        due_at=by if anew else min(by, open_.due_at),
        overdue_at=None if anew else open_.overdue_at,
        claim=after_change(open_.claim, before=open_.urgency, now=verdict.urgency),
    )


def _still_there(
    open_: Review, verdict: Verdict, reasons: Sequence[Reason], policy: Policy
) -> tuple[Reason, ...]:
    """What opened the review stays a reason of it until a clinician decides, unless its datum is gone. It may
    have been settled before it was stated again, so that by now it asks for nobody."""
    there = {reason.mark for reason in reasons}
    fired = {reason.mark for reason in reasons_of(verdict.findings)} - there
    others = {reason.rule for reason in open_.reasons} - {rule.id for rule in policy.rules}
    others -= {reason.rule for reason in reasons}
    return tuple(reason for reason in open_.reasons if reason.mark in fired or reason.rule in others)


def _answered(
    asked: Review, verdict: Verdict, reasons: tuple[Reason, ...], policy: Policy, asked_at: datetime
) -> Review:
    """Back in the queue, with a time of its own that ends no later than the response is due."""
    by = look_by(verdict.urgency, policy, asked_at)
    if verdict.respond_by > asked_at:
        by = min(by, verdict.respond_by)
    return Review(
        urgency=verdict.urgency,
        review_by=by,
        holds=verdict.holds,
        reasons=reasons,
        opened_at=asked.opened_at,
        due_at=by,
        claim=after_change(asked.claim, before=asked.urgency, now=verdict.urgency),
    )


def look_by(urgency: Urgency, policy: Policy, asked_at: datetime) -> datetime:
    """When a person must have looked."""
    return min(asked_at + policy.clocks[urgency], asked_at + policy.review_at_latest)


def is_worth_publishing(review: Review, before: Review | None) -> bool:
    """Those who review would read something new."""
    if before is None or before.asked or (review.urgency, review.holds) != (before.urgency, before.holds):
        return True
    return {reason.mark for reason in review.reasons} != {reason.mark for reason in before.reasons}
