"""Rules open a review and sharpen it; once open it waits for a person, whatever becomes of its reasons."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.triage.asking import ANSWERED
from services.triage.claims import after_change
from services.triage.rules import Finding, Policy
from services.triage.standing import Review
from services.triage.urgency import Verdict
from shared.events import FiredRule
from shared.vocabulary import Urgency


def after_rules(
    verdict: Verdict,
    open_: Review | None,
    shown: Sequence[FiredRule],
    policy: Policy,
    *,
    asked_at: datetime,
    now: datetime,
) -> Review | None:
    """`shown` is what a clinician should see besides; `asked_at` is when the referral, or the change to it,
    was taken in."""
    reasons = (*fired_rules(verdict.reviews), *shown)
    if open_ and open_.asked:
        return _answered(open_, verdict, (*reasons, ANSWERED), policy, asked_at)
    if not reasons:
        return replace(open_, holds=False) if open_ else None
    by = look_by(verdict.urgency, policy, asked_at)
    return Review(
        urgency=verdict.urgency,
        review_by=min(by, open_.review_by) if open_ else by,
        holds=verdict.holds,
        reasons=reasons,
        opened_at=open_.opened_at if open_ else now,
        due_at=min(by, open_.due_at) if open_ else by,
        overdue_at=open_.overdue_at if open_ else None,
        claim=after_change(open_.claim, before=open_.urgency, now=verdict.urgency) if open_ else None,
    )


def _answered(
    asked: Review, verdict: Verdict, reasons: tuple[FiredRule, ...], policy: Policy, asked_at: datetime
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


def tells_more(review: Review, before: Review | None) -> bool:
    """Worth saying to those who review."""
    if before is None or before.asked:
        return True
    return (review.reasons, review.urgency, review.holds) != (before.reasons, before.urgency, before.holds)


def fired_rules(findings: tuple[Finding, ...]) -> tuple[FiredRule, ...]:
    return tuple(FiredRule(rule=f.rule, datum=f.datum, text=f.text, on=f.on) for f in findings)
