"""What kind of care, and which team? Levels are this project's own. The highest single finding decides;
no scores are added up, within an instrument or across instruments.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Final

from services.triage.domain.chart import Chart
from services.triage.domain.conditions import all_data
from services.triage.domain.policy import Finding, IndicationRule, Member, Policy, TeamRule, more_care
from shared.vocabulary import LevelOfCare, Urgency

ORDER: Final[tuple[Member, ...]] = ("primary_care", "psychiatrist", "therapist")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pathway:
    """`team` is in the order in which the person meets them. `findings` say why."""

    level_of_care: LevelOfCare
    indications: tuple[IndicationRule, ...]
    team: tuple[Member, ...]
    findings: tuple[Finding, ...]


def what_care(chart: Chart, policy: Policy, urgency: Urgency) -> Pathway:
    """The same chart and urgency give the same pathway, whatever the order of sheets and codes."""
    level, why_level = _level(chart, policy, urgency)
    team, why_team = _team(chart, policy, urgency)
    return Pathway(
        level_of_care=level,
        indications=_indications(chart, policy, urgency),
        team=team,
        findings=why_level + why_team,
    )


def _level(chart: Chart, policy: Policy, urgency: Urgency) -> tuple[LevelOfCare, tuple[Finding, ...]]:
    base = LevelOfCare.SELF_MANAGEMENT if urgency is Urgency.PREVENTIVE else LevelOfCare.LOW_INTENSITY
    fired = [
        (rule.level, Finding(rule.id, datum.text, rule.text, datum.on))
        for rule in policy.levels
        for datum in all_data(rule.when, chart, urgency=urgency)
    ]
    return reduce(more_care, (level for level, _ in fired), base), tuple(finding for _, finding in fired)


def _team(chart: Chart, policy: Policy, urgency: Urgency) -> tuple[tuple[Member, ...], tuple[Finding, ...]]:
    fired: list[tuple[TeamRule, Finding]] = [
        (rule, Finding(rule.id, datum.text, rule.text, datum.on))
        for rule in policy.team
        for datum in all_data(rule.when, chart, urgency=urgency)
    ]
    first = {member for rule, _ in fired if rule.first for member in rule.adds}
    members: set[Member] = {"therapist", *(member for rule, _ in fired for member in rule.adds)}
    ordered = sorted(members, key=lambda member: _place(member, first))
    return tuple(ordered), tuple(finding for _, finding in fired)


def _place(member: Member, first: set[Member]) -> tuple[int, int]:
    """Who must see the person before therapy, then the therapist, then who is kept informed."""
    if member in first:
        return 0, ORDER.index(member)
    return (1, 0) if member == "therapist" else (2, ORDER.index(member))


def _indications(chart: Chart, policy: Policy, urgency: Urgency) -> tuple[IndicationRule, ...]:
    """In the policy's order, which is guidance's order; a modality named twice for a problem counts once."""
    found: dict[tuple[str, str], IndicationRule] = {}
    for rule in policy.indications:
        if rule.problem in chart.problems and _applies(rule, chart, urgency):
            found.setdefault((rule.problem, rule.modality), rule)
    return tuple(found.values())


def _applies(rule: IndicationRule, chart: Chart, urgency: Urgency) -> bool:
    wanted = not rule.only_preventive or urgency is Urgency.PREVENTIVE
    return wanted and _fits_age(rule, chart.age) and _fits_total(rule, chart)


def _fits_age(rule: IndicationRule, age: int | None) -> bool:
    """An unknown age is taken for an adult's here; the urgency rules ask a person about it."""
    return rule.age_from <= (18 if age is None else age) < rule.age_below


def _fits_total(rule: IndicationRule, chart: Chart) -> bool:
    """By the newest sheet that has a total, one out of date last; without one, both sides are offered."""
    totals = [
        (sheet.reading.current, sheet.taken_on, sheet.reading.total)
        for sheet in chart.sheets
        if sheet.reading.instrument == rule.instrument and sheet.reading.total is not None
    ]
    return not totals or rule.total_from <= max(totals)[2] < rule.total_below
