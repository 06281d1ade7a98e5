"""How soon must somebody respond? Rules only raise; a person may be asked for; nothing here lowers.

The result is a response time. It says nothing about a person, and predicts nothing.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce

from services.triage.domain.chart import EVERYTHING, NOTHING, Chart, Stated, as_stated, not_stated
from services.triage.domain.conditions import MONOTONE, all_data
from services.triage.domain.policy import Finding, Policy, Rule
from shared.instruments import SAFETY_INSTRUMENTS
from shared.vocabulary import Priority, Urgency, at_least_as_urgent, more_urgent

Settled = Collection[tuple[str, str, str]]
"""Rule, datum and day of findings that a clinician has looked at and decided on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What was decided earlier. `by_clinician`: a named person chose it, knowing what is `settled`."""

    urgency: Urgency
    respond_by: datetime
    by_clinician: bool = False
    settled: Settled = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`findings` is all that fired; `reviews` the part that a person must look at, and by when.

    `holds`: matching waits for that person. Never set for what must be answered within hours.
    `restates`: the most urgent level that the newest request by itself asks for; `restated` is the part of
    `reviews` that it states.
    """

    urgency: Urgency
    respond_by: datetime
    findings: tuple[Finding, ...]
    reviews: tuple[Finding, ...]
    review_by: datetime | None
    holds: bool
    restates: Urgency | None = None
    restated: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every rule that fires on a chart, with what it fired on. One rule may fire on several data."""

    chart: Chart
    fired: tuple[tuple[Rule, Finding], ...]


def evaluate(chart: Chart, rules: Iterable[Rule]) -> Evaluation:
    """The only place where rules meet a chart."""
    return Evaluation(
        chart,
        tuple(
            (rule, Finding(rule.id, datum.text, rule.text, datum.on))
            for rule in rules
            for datum in all_data(rule.when, chart)
        ),
    )


def assess_urgency(
    chart: Chart,
    policy: Policy,
    *,
    asked_at: datetime,
    before: Before | None = None,
    stated: Stated = NOTHING,
) -> Verdict:
    """`assess`, where nothing else needs the evaluation."""
    return assess(evaluate(chart, policy.rules), policy, asked_at=asked_at, before=before, stated=stated)


def assess(
    evaluation: Evaluation,
    policy: Policy,
    *,
    asked_at: datetime,
    before: Before | None = None,
    stated: Stated = NOTHING,
) -> Verdict:
    """The deadline counts from `asked_at`, when the referral (or the change) was taken in. What the request
    has `stated` counts anew, whatever a clinician made of it before."""
    fired = evaluation.fired
    restated = _restated(evaluation, stated)
    counting = [(rule, f) for rule, f in fired if _mark(f) in restated or not _is_settled(f, before)]
    urgency = _urgency(evaluation.chart, policy, [rule for rule, _ in counting], before)
    asking = [(rule, finding) for rule, finding in counting if rule.asks_review]
    called = [_called(rule, f, before, is_restated=_mark(f) in restated) for rule, f in fired]
    restates = _most_urgent(rule for rule, finding in fired if _mark(finding) in restated)
    return Verdict(
        urgency=urgency,
        respond_by=_respond_by(urgency, policy, asked_at, before, restates),
        findings=(*called, *_why_base(evaluation, policy, urgency, before)),
        reviews=tuple(finding for _, finding in asking),
        review_by=_review_by(bool(asking), urgency, policy, asked_at),
        holds=any(rule.holds for rule, _ in asking) and not urgency.cannot_wait,
        restates=restates,
        restated=tuple(finding for _, finding in asking if _mark(finding) in restated),
    )


def urgency_alone(evaluation: Evaluation, policy: Policy) -> Urgency:
    """What this chart asks for by itself, whatever was decided before."""
    return _urgency(evaluation.chart, policy, [rule for rule, _ in evaluation.fired], None)


def findings_alone(evaluation: Evaluation, policy: Policy) -> tuple[Finding, ...]:
    """The findings of `assess` where nothing was decided before."""
    urgency = urgency_alone(evaluation, policy)
    return (*(finding for _, finding in evaluation.fired), *_why_base(evaluation, policy, urgency, None))


def _restated(evaluation: Evaluation, stated: Stated) -> frozenset[tuple[str, str, str]]:
    """The findings for which what was stated is enough, given who the person is, and not those that are there
    without it. Doubts and conflicts depend on the whole chart, so they are never restated."""
    if stated == NOTHING:
        return frozenset()
    restatable = [(rule, finding) for rule, finding in evaluation.fired if _can_be_restated(rule)]
    marks = settle([finding for _, finding in restatable])
    if stated == EVERYTHING:
        return marks
    rules = dict.fromkeys(rule for rule, _ in restatable)
    by_it, anyway = (
        settle([finding for _, finding in evaluate(part(evaluation.chart, stated), rules).fired])
        for part in (as_stated, not_stated)
    )
    return marks & by_it - anyway


def _can_be_restated(rule: Rule) -> bool:
    return (rule.raises_to is not None or rule.asks_review) and all(c.kind in MONOTONE for c in rule.when)


def _most_urgent(rules: Iterable[Rule]) -> Urgency | None:
    raised = [rule.raises_to for rule in rules if rule.raises_to]
    return reduce(more_urgent, raised) if raised else None


def _called(rule: Rule, finding: Finding, before: Before | None, *, is_restated: bool) -> Finding:
    """The text states that somebody is called only where somebody is."""
    if not rule.being_told:
        return finding
    raises = before is None or (
        rule.raises_to is not None
        and not at_least_as_urgent(before.urgency, rule.raises_to)
        and not _is_settled(finding, before)
    )
    return replace(finding, being_told=rule.being_told) if is_restated or raises else finding


def fresh(findings: Collection[Finding], before: Before | None) -> tuple[Finding, ...]:
    """Those that no clinician has settled."""
    return tuple(finding for finding in findings if not _is_settled(finding, before))


def settle(findings: Collection[Finding]) -> frozenset[tuple[str, str, str]]:
    """What a clinician who decides now has seen. The same answer on a later day is a new finding."""
    return frozenset(_mark(finding) for finding in findings)


def _mark(finding: Finding) -> tuple[str, str, str]:
    return finding.rule, finding.datum, str(finding.on or "")


def _is_settled(finding: Finding, before: Before | None) -> bool:
    return before is not None and _mark(finding) in before.settled


def _urgency(chart: Chart, policy: Policy, fired: list[Rule], before: Before | None) -> Urgency:
    raised = [rule.raises_to for rule in fired if rule.raises_to]
    if before is not None and before.by_clinician:
        return reduce(more_urgent, raised, before.urgency)
    base = Urgency.PREVENTIVE if not fired and _is_preventive(chart, policy) else Urgency.ROUTINE
    return reduce(more_urgent, [*raised, *([before.urgency] if before else [])], base)


def _is_preventive(chart: Chart, policy: Policy) -> bool:
    """Only where everything is known and little is asked for; what is unknown is routine at least."""
    wanted = policy.preventive
    return (
        bool(chart.problems)
        and chart.problems <= wanted.problems
        and not chart.diagnoses
        and not chart.red_flags
        and chart.requested_priority is Priority.ROUTINE
        and any(sheet.reading.instrument in SAFETY_INSTRUMENTS for sheet in chart.sheets)
        and all(
            sheet.reading.complete and sheet.reading.band and sheet.reading.band.key in wanted.bands
            for sheet in chart.sheets
        )
    )


def _why_base(
    evaluation: Evaluation, policy: Policy, urgency: Urgency, before: Before | None
) -> tuple[Finding, ...]:
    """No decision without a reason: where no rule's level was taken, say why."""
    raised = any(rule.raises_to == urgency for rule, _ in evaluation.fired)
    if before and urgency == before.urgency and not raised:
        who = "clinician" if before.by_clinician else "earlier decision"
        text = "Kept from before. Rules can raise this; only a named clinician lowers it."
        return (Finding("kept", f"{who}={urgency}", text),)
    if urgency is Urgency.PREVENTIVE:
        return (Finding("preventive", ", ".join(sorted(evaluation.chart.problems)), policy.preventive.text),)
    if urgency is Urgency.ROUTINE:
        return (Finding("routine", "no rule raised it", "No rule asks for an earlier response."),)
    return ()


def _respond_by(
    urgency: Urgency,
    policy: Policy,
    asked_at: datetime,
    before: Before | None,
    restates: Urgency | None = None,
) -> datetime:
    """A change wins no time. Only a raise or a new crisis starts a clock, and it ends no later than one still
    running."""
    deadline = asked_at + policy.clocks[urgency]
    if before is None:
        return deadline
    if urgency == before.urgency and not _starts_anew(urgency, restates):
        return before.respond_by
    return min(deadline, before.respond_by) if before.respond_by > asked_at else deadline


def _starts_anew(urgency: Urgency, restates: Urgency | None) -> bool:
    """A response is owed to what was stated now, however the one before ended."""
    if restates is None:
        return False
    return restates.cannot_wait or (restates == urgency and at_least_as_urgent(urgency, Urgency.URGENT))


def _review_by(reviews: bool, urgency: Urgency, policy: Policy, asked_at: datetime) -> datetime | None:
    if not reviews:
        return None
    return min(asked_at + policy.clocks[urgency], asked_at + policy.review_at_latest)
