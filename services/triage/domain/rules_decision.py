"""From a fact, or a clinician's word, to how the referral stands and what is said about it.

The decisions themselves are in `urgency.py` and `pathway.py`; here they are put into facts.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, NamedTuple, TypedDict
from uuid import UUID

from services.triage.domain.basis import Basis, basis
from services.triage.domain.case_mapping import chart_of, needs_of
from services.triage.domain.chart import EVERYTHING, NOTHING, Chart, Stated
from services.triage.domain.consent import Disclosure, shared_part, shared_rules
from services.triage.domain.newer_answers import newest, shown
from services.triage.domain.pathway import Pathway, what_care
from services.triage.domain.policy import Policy
from services.triage.domain.review import CANNOT_WAIT, after_rules, called_rules, tells_more
from services.triage.domain.state import Review, Standing
from services.triage.domain.urgency import Verdict, how_soon
from shared.events import (
    Case,
    Indication,
    IntakeFact,
    ReferralAmended,
    ReferralSubmitted,
    ReferralTriaged,
    ReferralWithdrawn,
    ReviewRequested,
    ScreeningRecorded,
    TriageEnded,
    TriageFact,
)
from shared.ids import new_id
from shared.vocabulary import Urgency, more_urgent


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Who decided what, and why."""

    by: str
    action: Literal["confirm", "raise", "lower"]
    reason: str


class Outcome(NamedTuple):
    """`basis` where rules decided."""

    standing: Standing
    said: tuple[TriageFact, ...]
    basis: Basis | None = None


def decide(fact: IntakeFact, standing: Standing, policy: Policy, *, now: datetime) -> Outcome:
    """A fact about a revision already acted on, or about a referral that has ended, changes nothing."""
    if fact.revision <= standing.revision or standing.state == "ended":
        return Outcome(standing, ())
    known = replace(standing, revision=fact.revision, region=fact.region, clinic=fact.clinic)
    match fact:
        case ReferralWithdrawn():
            return end(replace(known, express=known.express or fact.express), fact.reason, now=now)
        case ReferralSubmitted() | ReferralAmended() | ScreeningRecorded():
            return _triage(fact, known, policy, now=now)
        case _:
            return Outcome(standing, ())


def end(standing: Standing, reason: str, *, now: datetime) -> Outcome:
    ended = replace(standing, state="ended", review=None, decision=standing.decision + 1)
    return Outcome(ended, (TriageEnded(**stamp(ended, now), reason=reason),))


def _triage(
    fact: ReferralSubmitted | ReferralAmended | ScreeningRecorded,
    standing: Standing,
    policy: Policy,
    *,
    now: datetime,
) -> Outcome:
    chart = chart_of(fact.case)
    verdict = how_soon(chart, policy, asked_at=fact.occurred_at, before=standing.before, stated=_stated(fact))
    latest = newest(chart)
    goes_on = standing.before is not None
    alone = latest is chart and not goes_on
    asks_for = verdict.urgency if alone else how_soon(latest, policy, asked_at=fact.occurred_at).urgency
    better = shown(
        policy, before=standing.asks_for if goes_on else None, asks_for=asks_for, stands=verdict.urgency
    )
    insists = "express" in fact.stated.parts if fact.stated else False
    shown_too = [*better, CANNOT_WAIT] if insists else better
    review = after_rules(verdict, standing.review, shown_too, policy, asked_at=fact.occurred_at, now=now)
    restates = _restates(verdict, insists=insists)
    next_ = replace(
        standing,
        state="held" if verdict.holds else "triaged",
        urgency=verdict.urgency,
        respond_by=verdict.respond_by,
        express=standing.express or fact.express or verdict.urgency.cannot_wait,
        case=fact.case,
        review=review,
        asks_for=asks_for,
        waiting_since=standing.waiting_since if goes_on else now,
        taken_on=standing.taken_on and goes_on,
        rules_digest=policy.digest,
    )
    said: list[TriageFact] = []
    asks_again = bool(verdict.restated) or insists
    if review and (asks_again or tells_more(review, standing.review)):
        next_ = replace(next_, decision=next_.decision + 1)
        said.append(review_requested(next_, review, policy, now=now, restates=restates))
    if not verdict.holds:
        next_ = replace(next_, decision=next_.decision + 1)
        said.append(triaged(next_, chart, verdict, policy, now=now, restates=restates))
    return Outcome(next_, tuple(said), basis(policy, verdict.findings))


def _stated(fact: ReferralSubmitted | ReferralAmended | ScreeningRecorded) -> Stated:
    """A writer of before `stated` tells only by its submissions what a request states."""
    if isinstance(fact, ReferralSubmitted):
        return EVERYTHING
    if fact.stated is None:
        return NOTHING
    parts = frozenset(fact.stated.parts) & EVERYTHING.parts
    return Stated(parts, sheets=fact.stated.sheets)


def _restates(verdict: Verdict, *, insists: bool) -> Urgency | None:
    """Whoever says that it cannot wait, and not why, asks for a clinician within a day."""
    if not insists:
        return verdict.restates
    return more_urgent(verdict.restates or Urgency.URGENT, Urgency.URGENT)


class Stamp(TypedDict):
    event_id: UUID
    occurred_at: datetime
    referral_id: UUID
    revision: int
    region: str
    clinic: str
    express: bool
    decision: int


def stamp(standing: Standing, now: datetime) -> Stamp:
    """What every fact of triage carries."""
    return Stamp(
        event_id=new_id(),
        occurred_at=now,
        referral_id=standing.referral_id,
        revision=standing.revision,
        region=standing.region,
        clinic=standing.clinic,
        express=standing.express,
        decision=standing.decision,
    )


def review_requested(
    standing: Standing, review: Review, policy: Policy, *, now: datetime, restates: Urgency | None = None
) -> ReviewRequested:
    """The clinician reads every reason in triage; the network reads those it may know."""
    assert standing.case is not None
    team = what_care(chart_of(standing.case), policy, review.urgency).team if review.holds else ()
    return ReviewRequested(
        **stamp(standing, now),
        reasons=shared_rules(review.reasons, standing.case, policy, review.urgency),
        urgency=review.urgency,
        review_by=review.review_by,
        holds=review.holds,
        not_understood=standing.case.not_understood,
        team=team,
        restates=restates,
    )


def triaged(
    standing: Standing,
    chart: Chart,
    verdict: Verdict,
    policy: Policy,
    *,
    now: datetime,
    word: Decided | None = None,
    disclosure: Disclosure | None = None,
    restates: Urgency | None = None,
) -> ReferralTriaged:
    """What the network may know of it: without the consent for it, or an emergency, not all."""
    assert standing.case is not None
    case = standing.case if disclosure else shared_part(standing.case)
    pathway = what_care(chart, policy, verdict.urgency)
    rules = called_rules((*verdict.findings, *pathway.findings))
    told = (
        (*rules, disclosure.fired())
        if disclosure
        else shared_rules(rules, standing.case, policy, verdict.urgency)
    )
    return ReferralTriaged(
        **stamp(standing, now),
        urgency=verdict.urgency,
        respond_by=verdict.respond_by,
        level_of_care=pathway.level_of_care,
        indications=_indications(pathway, case),
        team=pathway.team,
        rules=told,
        policy=policy.name,
        policy_version=policy.version,
        needs=needs_of(case),
        in_review=standing.review is not None,
        decided_by=word.by if word else None,
        action=word.action if word else None,
        reason=word.reason if word else None,
        not_understood=standing.case.not_understood,
        restates=restates,
    )


def _indications(pathway: Pathway, case: Case) -> tuple[Indication, ...]:
    return tuple(
        Indication(modality=i.modality, problem=i.problem, strength=i.strength, source=i.source)
        for i in pathway.indications
        if i.problem in case.problems
    )
