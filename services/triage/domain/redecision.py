"""After an upgrade or a new policy: a stored referral is decided again by the present rules.

It is only ever raised: in urgency, by a review, by a psychiatrist on the team. What a clinician settled stays
settled: only a new finding raises it. The time to respond to a raise counts from now.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.triage.domain.basis import basis
from services.triage.domain.case_mapping import chart_of
from services.triage.domain.chart import Chart
from services.triage.domain.claim import after_change
from services.triage.domain.newer_answers import newest
from services.triage.domain.pathway import what_care
from services.triage.domain.policy import Policy
from services.triage.domain.review import fired_rules, look_by
from services.triage.domain.rules_decision import Outcome, review_requested, triaged
from services.triage.domain.state import Review, Standing
from services.triage.domain.urgency import Before, Verdict, fresh, how_soon
from shared.events import FiredRule, TriageFact
from shared.vocabulary import Urgency

PSYCHIATRIST: Final = "psychiatrist"

DECIDED_AGAIN: Final = FiredRule(
    rule="decided-again",
    datum="rules changed",
    text="Nothing new was reported. The rules were changed, and they ask for more now.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redecided:
    """`outcome` has no facts where nothing is raised. `because`: the rules that raise or ask for a review."""

    outcome: Outcome
    before: Urgency | None
    because: tuple[str, ...] = ()

    @property
    def raised(self) -> bool:
        return bool(self.outcome.said)

    @property
    def urgency(self) -> Urgency | None:
        return self.outcome.standing.urgency


def redecide(
    standing: Standing, policy: Policy, *, now: datetime, team_told: Collection[str] | None = None
) -> Redecided:
    """Nothing for what was returned or has ended. `team_told`: the team as last published, empty where that
    was by a version that notified nobody of it; None leaves the team alone."""
    before = standing.before
    if before is None or standing.case is None:
        return Redecided(outcome=Outcome(standing, ()), before=standing.urgency)
    chart = chart_of(standing.case)
    verdict = how_soon(chart, policy, asked_at=now, before=before)
    next_ = _raised(standing, chart, verdict, policy, now)
    joins = _joins(chart, verdict, policy, team_told) and next_.state == "triaged"
    goes_on = next_.state == "triaged" and standing.state == "held"
    said: list[TriageFact] = []
    review = next_.review
    if review is not None and review is not standing.review:
        next_ = replace(next_, decision=next_.decision + 1)
        said.append(review_requested(next_, review, policy, now=now))
    if next_.state == "triaged" and (verdict.urgency != before.urgency or joins or goes_on):
        next_ = replace(next_, decision=next_.decision + 1)
        fact = triaged(next_, chart, verdict, policy, now=now)
        said.append(fact.model_copy(update={"rules": (*fact.rules, DECIDED_AGAIN)}))
    because = _because(verdict, before, policy, standing, joins=joins) if said else ()
    outcome = Outcome(next_, tuple(said), basis(policy, verdict.findings))
    return Redecided(outcome=outcome, before=before.urgency, because=because)


def unseen(standing: Standing, policy: Policy, *, now: datetime) -> Outcome | None:
    """What the present rules raise that no decision has said yet, so that a clinician sees it before they
    settle it."""
    if standing.rules_digest == policy.digest:
        return None
    again = redecide(standing, policy, now=now)
    return again.outcome if again.raised else None


def _raised(standing: Standing, chart: Chart, verdict: Verdict, policy: Policy, now: datetime) -> Standing:
    review = _review(standing, verdict, policy, now)
    changes = review is not standing.review or verdict.urgency != standing.urgency
    holds = review.holds if review and changes else standing.state == "held" and not changes
    return replace(
        standing,
        state="held" if holds else "triaged",
        urgency=verdict.urgency,
        respond_by=verdict.respond_by,
        express=standing.express or verdict.urgency.cannot_wait,
        review=review,
        asks_for=how_soon(newest(chart), policy, asked_at=now).urgency,
        rules_digest=policy.digest,
    )


def _review(standing: Standing, verdict: Verdict, policy: Policy, now: datetime) -> Review | None:
    """An open one keeps its reasons; a new reason, or a raise, ends the wait for the referrer's answer."""
    open_ = standing.review
    known = {_mark(reason) for reason in open_.reasons} if open_ else set()
    new = tuple(reason for reason in fired_rules(verdict.reviews) if _mark(reason) not in known)
    if not new and (open_ is None or verdict.urgency == standing.urgency):
        return open_
    holds = (verdict.holds or standing.state == "held") and not verdict.urgency.cannot_wait
    by = look_by(verdict.urgency, policy, now)
    if open_ is None:
        return Review(
            urgency=verdict.urgency,
            review_by=by,
            holds=holds,
            reasons=(*new, DECIDED_AGAIN),
            opened_at=now,
            due_at=by,
        )
    by = min(by, open_.review_by)
    return replace(
        open_,
        urgency=verdict.urgency,
        review_by=by,
        holds=holds,
        reasons=(*open_.reasons, *new, *(() if _mark(DECIDED_AGAIN) in known else (DECIDED_AGAIN,))),
        due_at=by if open_.asked else min(by, open_.due_at),
        claim=after_change(open_.claim, before=open_.urgency, now=verdict.urgency),
        asked=None,
    )


def _mark(reason: FiredRule) -> tuple[str, str, str]:
    return reason.rule, reason.datum, str(reason.on or "")


def _joins(chart: Chart, verdict: Verdict, policy: Policy, team_told: Collection[str] | None) -> bool:
    """A psychiatrist joins the team. What cannot wait has called one already."""
    if team_told is None or PSYCHIATRIST in team_told or verdict.urgency.cannot_wait:
        return False
    return PSYCHIATRIST in what_care(chart, policy, verdict.urgency).team


def _because(
    verdict: Verdict, before: Before, policy: Policy, standing: Standing, *, joins: bool
) -> tuple[str, ...]:
    levels = {rule.id: rule.raises_to for rule in policy.rules}
    raises = verdict.urgency != before.urgency
    new = fresh(verdict.findings, before)
    rules = [finding.rule for finding in new if raises and levels.get(finding.rule) == verdict.urgency]
    known = {_mark(reason) for reason in standing.review.reasons} if standing.review else set()
    rules += [reason.rule for reason in fired_rules(verdict.reviews) if _mark(reason) not in known]
    if raises and not rules:
        rules = [finding.rule for finding in new[-1:]]
    if joins and not rules:
        rules = ["team"]
    return tuple(dict.fromkeys(rules))
