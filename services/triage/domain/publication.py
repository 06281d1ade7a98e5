"""What the network may know of a decision by the rules."""

from services.triage.domain.chart import Charts
from services.triage.domain.consent import Disclosure, shareable_reasons
from services.triage.domain.outcome import ByClinician, ReviewNeeded, Triaged
from services.triage.domain.pathway import Pathway, what_care
from services.triage.domain.policy import Policy
from services.triage.domain.reasons import reasons_with_calls
from services.triage.domain.state import Review, TriageState
from services.triage.domain.urgency import Evaluation, Verdict
from shared.vocabulary import Urgency


def review_needed(
    state: TriageState,
    review: Review,
    charts: Charts,
    shared: Evaluation | None,
    policy: Policy,
    *,
    restates: Urgency | None = None,
) -> ReviewNeeded:
    """The clinician reads every reason in triage; the network reads those that it may know."""
    return ReviewNeeded(
        decision=state.decision,
        urgency=review.urgency,
        review_by=review.review_by,
        reasons=shareable_reasons(review.reasons, shared, policy, review.urgency),
        holds=review.holds,
        restates=restates,
        not_understood=charts.whole.not_understood,
        team=what_care(charts.whole, policy, review.urgency).team if review.holds else (),
    )


def triaged(
    state: TriageState,
    charts: Charts,
    shared: Evaluation | None,
    verdict: Verdict,
    pathway: Pathway,
    policy: Policy,
    *,
    clinician: ByClinician | None = None,
    disclosure: Disclosure | None = None,
    restates: Urgency | None = None,
) -> Triaged:
    """Without the consent for it, or an emergency, not all."""
    reasons = reasons_with_calls((*verdict.findings, *pathway.findings))
    known = charts.whole if disclosure else charts.network
    return Triaged(
        decision=state.decision,
        urgency=verdict.urgency,
        respond_by=verdict.respond_by,
        pathway=pathway,
        indications=tuple(i for i in pathway.indications if i.problem in known.problems),
        reasons=(*reasons, disclosure.reason())
        if disclosure
        else shareable_reasons(reasons, shared, policy, verdict.urgency),
        in_review=state.review is not None,
        clinician=clinician,
        discloses=disclosure is not None,
        restates=restates,
        not_understood=charts.whole.not_understood,
    )
