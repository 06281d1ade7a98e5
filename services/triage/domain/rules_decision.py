"""The rules decide on what intake reports: one evaluation of the chart, and all that follows from it."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.triage.domain.basis import basis
from services.triage.domain.chart import NOTHING, Charts, Stated
from services.triage.domain.consent import network_view
from services.triage.domain.newer_answers import asked_by_newest, better_answers
from services.triage.domain.outcome import Ended, Outcome, Published
from services.triage.domain.pathway import what_care
from services.triage.domain.policy import Policy
from services.triage.domain.publication import review_needed, triaged
from services.triage.domain.review import CANNOT_WAIT, after_rules, is_worth_publishing
from services.triage.domain.state import TriageState
from services.triage.domain.urgency import Verdict, assess, evaluate
from shared.vocabulary import Urgency, more_urgent


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What every event of intake carries."""

    revision: int
    region: str
    clinic: str
    express: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported(Change):
    """The referral as it is now. `stated` is what this request itself says. With `insists` the referrer says
    that it cannot wait, and not why."""

    asked_at: datetime
    charts: Charts
    stated: Stated = NOTHING
    insists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Change):
    reason: str


def decide(change: Reported | Withdrawn, state: TriageState, policy: Policy, *, now: datetime) -> Outcome:
    """A revision already acted on, or a referral that has ended, changes nothing."""
    if change.revision <= state.revision or state.status == "ended":
        return Outcome(state=state)
    known = replace(state, revision=change.revision, region=change.region, clinic=change.clinic)
    if isinstance(change, Withdrawn):
        return end(replace(known, express=known.express or change.express), change.reason)
    return _triage(change, known, policy, now=now)


def end(state: TriageState, reason: str) -> Outcome:
    ended = replace(state, status="ended", review=None, decision=state.decision + 1)
    return Outcome(state=ended, published=(Ended(decision=ended.decision, reason=reason),))


def _triage(report: Reported, state: TriageState, policy: Policy, *, now: datetime) -> Outcome:
    evaluation = evaluate(report.charts.whole, policy.rules)
    before = state.before
    verdict = assess(evaluation, policy, asked_at=report.asked_at, before=before, stated=report.stated)
    newest = asked_by_newest(evaluation, policy)
    better = better_answers(
        policy, before=state.asks_for if before else None, asks_for=newest, current=verdict.urgency
    )
    shown = (*better, CANNOT_WAIT) if report.insists else better
    next_ = replace(
        state,
        status="held" if verdict.holds else "triaged",
        urgency=verdict.urgency,
        respond_by=verdict.respond_by,
        express=state.express or report.express or verdict.urgency.cannot_wait,
        review=after_rules(verdict, state.review, shown, policy, asked_at=report.asked_at, now=now),
        asks_for=newest,
        waiting_since=state.waiting_since if before else now,
        taken_on=state.taken_on and before is not None,
        rules_digest=policy.digest,
    )
    return _published(report, state, next_, verdict, policy)


def _published(
    report: Reported, state: TriageState, next_: TriageState, verdict: Verdict, policy: Policy
) -> Outcome:
    review, view = next_.review, network_view(report.charts, policy)
    restates = _restates(verdict, insists=report.insists)
    published: list[Published] = []
    calls_again = bool(verdict.restated) or report.insists
    if review and (calls_again or is_worth_publishing(review, state.review)):
        next_ = replace(next_, decision=next_.decision + 1)
        published.append(review_needed(next_, review, view, restates=restates))
    if not verdict.holds:
        next_ = replace(next_, decision=next_.decision + 1)
        pathway = what_care(report.charts.whole, policy, verdict.urgency)
        published.append(triaged(next_, verdict, pathway, view, restates=restates))
    return Outcome(state=next_, published=tuple(published), basis=basis(policy, verdict.findings))


def _restates(verdict: Verdict, *, insists: bool) -> Urgency | None:
    """Whoever says that it cannot wait, and not why, asks for a clinician within a day."""
    if not insists:
        return verdict.restates
    return more_urgent(verdict.restates or Urgency.URGENT, Urgency.URGENT)
