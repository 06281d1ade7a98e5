"""The closed set of things a rule may ask of a chart. Each yields the data it fired on, or nothing.

Every kind in `MONOTONE` keeps holding when an answer worsens, an answer or a sheet is added or a flag
appears; only those may raise urgency. `DOUBTS` hold while something is not known: they may raise too, and
end only when the question is answered. `CONFLICTS` can come and go, so they only ask for a person.
"""

from collections.abc import Callable, Iterable
from typing import Final

from services.triage.domain import chart_conditions, sheet_conditions
from services.triage.domain.chart import Chart
from services.triage.domain.datum import Datum
from services.triage.domain.policy import Condition
from shared.vocabulary import Urgency, at_least_as_urgent

Test = Callable[[Condition, Chart], Iterable[Datum]]


def data(condition: Condition, chart: Chart, *, urgency: Urgency | None = None) -> tuple[Datum, ...]:
    """Sorted and each once, so that the order of sheets and codes does not matter."""
    if condition.kind == "urgency":
        return _urgency(condition, urgency)
    found = set(KINDS[condition.kind](condition, chart))
    if not found:
        return ()
    return tuple(sorted(found, key=lambda datum: (datum.text, str(datum.on))))


def all_data(
    conditions: Iterable[Condition], chart: Chart, *, urgency: Urgency | None = None
) -> tuple[Datum, ...]:
    """The data of the first condition if every one holds; the others only limit when it counts."""
    first: tuple[Datum, ...] = ()
    for condition in conditions:
        found = data(condition, chart, urgency=urgency)
        if not found:
            return ()
        first = first or found
    return first


def _urgency(condition: Condition, urgency: Urgency | None) -> tuple[Datum, ...]:
    if urgency is None or condition.urgency is None or not at_least_as_urgent(urgency, condition.urgency):
        return ()
    return (Datum(f"urgency={urgency}"),)


MONOTONE: Final[dict[str, Test]] = {
    "safety_item": sheet_conditions.safety_item,
    "answer": sheet_conditions.answer,
    "total": sheet_conditions.total,
    "clusters": sheet_conditions.clusters,
    "red_flag": chart_conditions.red_flag,
    "unknown_red_flag": chart_conditions.unknown_red_flag,
    "problem": chart_conditions.problem,
    "unknown_problem": chart_conditions.unknown_problem,
    "diagnosis": chart_conditions.diagnosis,
    "diagnosis_signal": chart_conditions.diagnosis_signal,
    "who_diagnosis": chart_conditions.who_diagnosis,
    "not_understood": chart_conditions.not_understood,
    "requested_priority": chart_conditions.requested_priority,
    "age": chart_conditions.age,
    "sex": chart_conditions.sex,
    "perinatal": chart_conditions.perinatal,
    "guardian": chart_conditions.guardian,
    "no_consent": chart_conditions.no_consent,
    "read_notes": chart_conditions.read_notes,
    "past_attempt": chart_conditions.past_attempt,
    "external_level": chart_conditions.external_level,
    "treatments_without_benefit": chart_conditions.treatments_without_benefit,
    "several_problems": chart_conditions.several_problems,
}

DOUBTS: Final[dict[str, Test]] = {
    "safety_not_assessed": sheet_conditions.safety_not_assessed,
    "no_safety_question": sheet_conditions.no_safety_question,
    "not_scored": sheet_conditions.not_scored,
    "age_unknown": chart_conditions.age_unknown,
}

CONFLICTS: Final[dict[str, Test]] = {
    "estimated_total": sheet_conditions.estimated_total,
    "safety_conflict": sheet_conditions.safety_conflict,
    "contradictory_sheet": sheet_conditions.contradictory_sheet,
    "sheet_problem": sheet_conditions.sheet_problem,
    "problems_withheld": chart_conditions.problems_withheld,
}

KINDS: Final[dict[str, Test]] = MONOTONE | DOUBTS | CONFLICTS
