"""After an upgrade or a new policy: a stored referral is decided again by the present rules.

It is only ever raised: in urgency, by a review, by a psychiatrist on the team. What a clinician settled stays
settled: only a new finding raises it. The time to respond to a raise counts from now.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.triage.domain.basis import basis
from services.triage.domain.chart import Charts
from services.triage.domain.claim import after_change
from services.triage.domain.consent import network_view
from services.triage.domain.newer_answers import asked_by_newest
from services.triage.domain.outcome import Outcome, Published
from services.triage.domain.pathway import Pathway, what_care
from services.triage.domain.policy import Policy
from services.triage.domain.publication import review_needed, triaged
from services.triage.domain.reasons import Reason, reasons_of
from services.triage.domain.review import look_by
from services.triage.domain.state import Review, TriageState
from services.triage.domain.urgency import Before, Evaluation, Verdict, assess, evaluate, fresh
from shared.vocabulary import Urgency

PSYCHIATRIST: Final = "psychiatrist"

DECIDED_AGAIN: Final = Reason(
    rule="decided-again",
    datum="rules changed",
    text="Nothing new was reported. The rules were changed, and they ask for more now.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redecided:
    """`outcome` publishes nothing where nothing is raised. `because`: the rules that raise or ask for a
    review."""

    outcome: Outcome
    before: Urgency | None
    because: tuple[str, ...] = ()

    @property
    def raised(self) -> bool:
        return bool(self.outcome.published)

    @property
    def urgency(self) -> Urgency | None:
        return self.outcome.state.urgency


def redecide(
    state: TriageState,
    charts: Charts,
    policy: Policy,
    *,
    now: datetime,
    team_told: Collection[str] | None = None,
) -> Redecided:
    """Nothing for what was returned or has ended. `team_told`: the team as last published, empty where that
    was by a version that notified nobody of it; None leaves the team alone."""
    return _redecide(
        evaluate(charts.whole, policy.rules), charts, state, policy, now=now, team_told=team_told
    )


def unseen(
    evaluation: Evaluation, charts: Charts, state: TriageState, policy: Policy, *, now: datetime
) -> Outcome | None:
    """What the present rules raise and no decision has published yet."""
    if state.rules_digest == policy.digest:
        return None
    again = _redecide(evaluation, charts, state, policy, now=now, team_told=None)
    return again.outcome if again.raised else None


def _redecide(
    evaluation: Evaluation,
    charts: Charts,
    state: TriageState,
    policy: Policy,
    *,
    now: datetime,
    team_told: Collection[str] | None,
) -> Redecided:
    before = state.before
    if before is None:
        return Redecided(outcome=Outcome(state=state), before=state.urgency)
    verdict = assess(evaluation, policy, asked_at=now, before=before)
    next_ = replace(_raised(state, verdict, policy, now), asks_for=asked_by_newest(evaluation, policy))
    pathway = what_care(charts.whole, policy, verdict.urgency)
    joins = _joins(pathway, verdict, team_told) and next_.status == "triaged"
    goes_on = next_.status == "triaged" and state.status == "held"
    triages = next_.status == "triaged" and (verdict.urgency != before.urgency or joins or goes_on)
    next_, published = _published(state, next_, charts, verdict, pathway, policy, triages=triages)
    because = _because(verdict, before, policy, state, joins=joins) if published else ()
    outcome = Outcome(state=next_, published=published, basis=basis(policy, verdict.findings))
    return Redecided(outcome=outcome, before=before.urgency, because=because)


def _published(
    state: TriageState,
    next_: TriageState,
    charts: Charts,
    verdict: Verdict,
    pathway: Pathway,
    policy: Policy,
    *,
    triages: bool,
) -> tuple[TriageState, tuple[Published, ...]]:
    review = next_.review if next_.review is not state.review else None
    if review is None and not triages:
        return next_, ()
    view = network_view(charts, policy)
    published: list[Published] = []
    if review is not None:
        next_ = replace(next_, decision=next_.decision + 1)
        published.append(review_needed(next_, review, view))
    if triages:
        next_ = replace(next_, decision=next_.decision + 1)
        event = triaged(next_, verdict, pathway, view)
        published.append(replace(event, reasons=(*event.reasons, DECIDED_AGAIN)))
    return next_, tuple(published)


def _raised(state: TriageState, verdict: Verdict, policy: Policy, now: datetime) -> TriageState:
    review = _review(state, verdict, policy, now)
    changes = review is not state.review or verdict.urgency != state.urgency
    holds = review.holds if review and changes else state.status == "held" and not changes
    return replace(
        state,
        status="held" if holds else "triaged",
        urgency=verdict.urgency,
        respond_by=verdict.respond_by,
        express=state.express or verdict.urgency.cannot_wait,
        review=review,
        rules_digest=policy.digest,
    )


def _review(state: TriageState, verdict: Verdict, policy: Policy, now: datetime) -> Review | None:
    """An open one keeps its reasons; a new reason, or a raise, ends the wait for the referrer's answer."""
    open_ = state.review
    known = {reason.mark for reason in open_.reasons} if open_ else set()
    new = tuple(reason for reason in reasons_of(verdict.reviews) if reason.mark not in known)
    if not new and (open_ is None or verdict.urgency == state.urgency):
        return open_
    holds = (verdict.holds or state.status == "held") and not verdict.urgency.cannot_wait
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
        reasons=(*open_.reasons, *new, *(() if DECIDED_AGAIN.mark in known else (DECIDED_AGAIN,))),
        due_at=by if open_.asked else min(by, open_.due_at),
        claim=after_change(open_.claim, before=open_.urgency, now=verdict.urgency),
        asked=None,
    )


def _joins(pathway: Pathway, verdict: Verdict, team_told: Collection[str] | None) -> bool:
    """A psychiatrist joins the team. What cannot wait has called one already."""
    if team_told is None or PSYCHIATRIST in team_told or verdict.urgency.cannot_wait:
        return False
    return PSYCHIATRIST in pathway.team


def _because(
    verdict: Verdict, before: Before, policy: Policy, state: TriageState, *, joins: bool
) -> tuple[str, ...]:
    levels = {rule.id: rule.raises_to for rule in policy.rules}
    raises = verdict.urgency != before.urgency
    new = fresh(verdict.findings, before)
    rules = [finding.rule for finding in new if raises and levels.get(finding.rule) == verdict.urgency]
    known = {reason.mark for reason in state.review.reasons} if state.review else set()
    rules += [reason.rule for reason in reasons_of(verdict.reviews) if reason.mark not in known]
    if raises and not rules:
        rules = [finding.rule for finding in new[-1:]]
    if joins and not rules:
        rules = ["team"]
    return tuple(dict.fromkeys(rules))
