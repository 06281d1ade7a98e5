"""What the network may know of a decision by the rules."""

from services.triage.domain.consent import Disclosure, NetworkView
from services.triage.domain.outcome import ByClinician, ReviewNeeded, Triaged
from services.triage.domain.pathway import Pathway, what_care
from services.triage.domain.reasons import reasons_with_calls
from services.triage.domain.state import Review, TriageState
from services.triage.domain.urgency import Verdict
from shared.vocabulary import Urgency


def review_needed(
    state: TriageState, review: Review, view: NetworkView, *, restates: Urgency | None = None
) -> ReviewNeeded:
    """The clinician reads every reason in triage; the network reads those that it may know."""
    chart = view.charts.whole
    return ReviewNeeded(
        decision=state.decision,
        urgency=review.urgency,
        review_by=review.review_by,
        reasons=view.reasons(review.reasons, review.urgency),
        holds=review.holds,
        restates=restates,
        not_understood=chart.not_understood,
        team=what_care(chart, view.policy, review.urgency).team if review.holds else (),
    )


def triaged(
    state: TriageState,
    verdict: Verdict,
    pathway: Pathway,
    view: NetworkView,
    *,
    clinician: ByClinician | None = None,
    disclosure: Disclosure | None = None,
    restates: Urgency | None = None,
) -> Triaged:
    """With a `disclosure` the network may know all of it."""
    charts = view.charts
    reasons = reasons_with_calls((*verdict.findings, *pathway.findings))
    known = charts.whole if disclosure else charts.network
    return Triaged(
        decision=state.decision,
        urgency=verdict.urgency,
        respond_by=verdict.respond_by,
        pathway=pathway,
        indications=tuple(i for i in pathway.indications if i.problem in known.problems),
        reasons=(*reasons, disclosure.reason()) if disclosure else view.reasons(reasons, verdict.urgency),
        in_review=state.review is not None,
        clinician=clinician,
        discloses=disclosure is not None,
        restates=restates,
        not_understood=charts.whole.not_understood,
    )
