"""The closed set of things a rule may ask of a chart. Each answers with the data it fired on, or nothing.

Every kind in `MONOTONE` keeps holding when an answer worsens, an answer or a sheet is added or a flag
appears; only those may raise urgency. `DOUBTS` hold while something is not known: they may raise too, and
end only when the question is answered. `CONFLICTS` can come and go, so they only ask for a person.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

from services.triage.domain.chart import Chart, Sheet
from services.triage.domain.policy import Condition
from shared.clinical import DIAGNOSES
from shared.instruments import SAFETY_INSTRUMENTS, Reading
from shared.vocabulary import (
    NOT_UNDERSTOOD_BY_CLINICIANS,
    NOT_UNDERSTOOD_BY_COORDINATORS,
    PROBLEMS,
    RED_FLAGS,
    Urgency,
    at_least_as_urgent,
)


class Datum(NamedTuple):
    """What a rule fired on, such as `phq9.item9=2`, and the day of the sheet. Never a person's words."""

    said: str
    on: date | None = None


PARTS: Final = NOT_UNDERSTOOD_BY_CLINICIANS | NOT_UNDERSTOOD_BY_COORDINATORS

Test = Callable[[Condition, Chart], Iterable[Datum]]


def data(condition: Condition, chart: Chart, *, urgency: Urgency | None = None) -> tuple[Datum, ...]:
    """Sorted and each once, so that the order of sheets and codes does not matter."""
    if condition.kind == "urgency":
        return _urgency(condition, urgency)
    found = set(KINDS[condition.kind](condition, chart))
    if not found:
        return ()
    return tuple(sorted(found, key=lambda datum: (datum.said, str(datum.on))))


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


def _sheets(condition: Condition, chart: Chart) -> Iterator[Sheet]:
    for sheet in chart.sheets:
        if condition.instrument in (None, sheet.reading.instrument):
            yield sheet


def _safety_item(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in _sheets(condition, chart):
        for fired in sheet.reading.fired:
            if fired.item in condition.items and fired.value >= (condition.at_least or 1):
                answer = "not answered" if fired.assumed else str(fired.value)
                yield Datum(f"{fired.instrument}.{fired.item}={answer}", sheet.taken_on)


def _answer(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in _sheets(condition, chart):
        for item, value in sheet.reading.values:
            if item in condition.items and value >= (condition.at_least or 1):
                yield Datum(f"{sheet.reading.instrument}.{item}={value}", sheet.taken_on)


def _total(condition: Condition, chart: Chart) -> Iterator[Datum]:
    """By the sum of what was answered: an estimate for missing items does not raise, it asks for a person."""
    for sheet in _sheets(condition, chart):
        reading = sheet.reading
        if reading.given >= (condition.at_least or 0):
            sign = ">=" if reading.missing else "="
            yield Datum(f"{reading.instrument}.total{sign}{reading.given}", sheet.taken_on)


def _estimated_total(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in _sheets(condition, chart):
        reading = sheet.reading
        if reading.prorated and reading.given < (condition.at_least or 0) <= (reading.total or 0):
            said = f"{reading.instrument}.total~{reading.total}, {len(reading.missing)} items missing"
            yield Datum(said, sheet.taken_on)


def _clusters(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in _sheets(condition, chart):
        if sheet.reading.clusters_met:
            yield Datum(f"{sheet.reading.instrument}=criteria met", sheet.taken_on)


def _safety_not_assessed(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in _sheets(condition, chart):
        for item in sheet.reading.not_assessed:
            yield Datum(f"{sheet.reading.instrument}.{item}=not assessed", sheet.taken_on)


def _not_scored(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in _sheets(condition, chart):
        if sheet.reading.too_open:
            yield Datum(f"{sheet.reading.instrument}.result=not assessed", sheet.taken_on)


def _no_safety_question(_: Condition, chart: Chart) -> Iterator[Datum]:
    """A no keeps only so long: an old sheet does not answer the question for today."""
    asked = (s.reading for s in chart.sheets if s.reading.instrument in SAFETY_INSTRUMENTS)
    if not any(reading.current for reading in asked):
        yield Datum("screenings=no safety question asked")


def _safety_conflict(_: Condition, chart: Chart) -> Iterator[Datum]:
    """One instrument positive, another answered with no: somebody should ask again."""
    positive = {sheet.reading.instrument for sheet in chart.sheets if sheet.reading.fired}
    negative = {sheet.reading.instrument for sheet in chart.sheets if _answered_no(sheet.reading)}
    for instrument in negative - positive:
        for other in positive:
            yield Datum(f"{instrument}=no safety item positive, {other}=positive")


def _answered_no(reading: Reading) -> bool:
    return reading.instrument in SAFETY_INSTRUMENTS and not reading.fired and not reading.not_assessed


def _contradictory_sheet(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in _sheets(condition, chart):
        for item in sheet.reading.contradictions:
            yield Datum(f"{sheet.reading.instrument}.{item}=yes after no", sheet.taken_on)


def _sheet_problem(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in chart.sheets:
        for problem in sheet.reading.problems:
            if problem.code in condition.any_of:
                name = sheet.reading.instrument if sheet.reading.known else "screening"
                place = f"{name}.{problem.item}" if problem.item else name
                yield Datum(f"{place}={problem.code}", sheet.taken_on)


def _red_flag(condition: Condition, chart: Chart) -> Iterator[Datum]:
    return (Datum(f"red_flag={flag}") for flag in chart.red_flags.intersection(condition.any_of))


def _problem(condition: Condition, chart: Chart) -> Iterator[Datum]:
    return (Datum(f"problem={problem}") for problem in chart.problems.intersection(condition.any_of))


def _diagnosis(condition: Condition, chart: Chart) -> Iterator[Datum]:
    """By the beginning of the code: `F31` is every bipolar disorder."""
    return (Datum(f"diagnosis={d}") for d in chart.diagnoses if d.startswith(condition.any_of))


def _diagnosis_signal(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for code in chart.diagnoses:
        if not DIAGNOSES.of(code, who_codes=condition.who_codes).isdisjoint(condition.any_of):
            yield Datum(f"diagnosis={code}")


def _who_diagnosis(condition: Condition, chart: Chart) -> Iterator[Datum]:
    """Where the network has no codes of the WHO, what such a code says is not acted on but asked about."""
    if not condition.who_codes:
        yield from (Datum(f"diagnosis={d}") for d in chart.diagnoses if DIAGNOSES.needs_who_setting(d))


def _unknown_red_flag(_: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.red_flags - RED_FLAGS:
        yield Datum("red_flag=a code that is not known")


def _unknown_problem(_: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.problems - PROBLEMS:
        yield Datum("problem=a code that is not known")


def _not_understood(condition: Condition, chart: Chart) -> Iterator[Datum]:
    """With their number: one more of a part that a clinician has settled is a new finding."""
    parts = [part if part in PARTS else "other" for part in chart.not_understood]
    for part in set(parts).intersection(condition.any_of):
        count = parts.count(part)
        yield Datum(f"not_understood={part}" + (f", {count} values" if count > 1 else ""))


def _requested_priority(condition: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.requested_priority in condition.any_of:
        yield Datum(f"requested_priority={chart.requested_priority}")


def _age(condition: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.age is None:
        return
    if chart.age >= (condition.at_least or 0) and (condition.below is None or chart.age < condition.below):
        yield Datum(f"age={chart.age}")


def _age_unknown(_: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.age is None:
        yield Datum("age=not known")


def _sex(condition: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.sex in condition.any_of:
        yield Datum(f"sex={chart.sex}")


def _perinatal(_: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.perinatal:
        yield Datum("perinatal=yes")


def _guardian(condition: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.guardian in condition.any_of:
        yield Datum(f"guardian={chart.guardian}")


def _no_consent(_: Condition, chart: Chart) -> Iterator[Datum]:
    if not chart.shares_with_network:
        yield Datum("consent.share_with_network=no")


def _read_notes(_: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.read_notes is not None:
        yield Datum(f"read_notes=of revision {chart.read_notes}")


def _problems_withheld(_: Condition, chart: Chart) -> Iterator[Datum]:
    """Says nothing about the problems: this is told to the network."""
    if chart.problems_withheld:
        yield Datum("consent=too narrow to match on")


def _past_attempt(_: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.past_attempt:
        yield Datum("past_attempt=yes")


def _external_level(condition: Condition, chart: Chart) -> Iterator[Datum]:
    return (
        Datum(f"external_level={level}") for level in chart.external_levels.intersection(condition.any_of)
    )


def _treatments_without_benefit(condition: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.treatments_without_benefit >= (condition.at_least or 1):
        yield Datum(f"treatments_without_benefit={chart.treatments_without_benefit}")


def _several_problems(condition: Condition, chart: Chart) -> Iterator[Datum]:
    if len(chart.problems) >= (condition.at_least or 1):
        yield Datum(f"problems={len(chart.problems)}")


MONOTONE: Final[dict[str, Test]] = {
    "safety_item": _safety_item,
    "answer": _answer,
    "total": _total,
    "clusters": _clusters,
    "red_flag": _red_flag,
    "unknown_red_flag": _unknown_red_flag,
    "problem": _problem,
    "unknown_problem": _unknown_problem,
    "diagnosis": _diagnosis,
    "diagnosis_signal": _diagnosis_signal,
    "who_diagnosis": _who_diagnosis,
    "not_understood": _not_understood,
    "requested_priority": _requested_priority,
    "age": _age,
    "sex": _sex,
    "perinatal": _perinatal,
    "guardian": _guardian,
    "no_consent": _no_consent,
    "read_notes": _read_notes,
    "past_attempt": _past_attempt,
    "external_level": _external_level,
    "treatments_without_benefit": _treatments_without_benefit,
    "several_problems": _several_problems,
}

DOUBTS: Final[dict[str, Test]] = {
    "safety_not_assessed": _safety_not_assessed,
    "no_safety_question": _no_safety_question,
    "not_scored": _not_scored,
    "age_unknown": _age_unknown,
}

CONFLICTS: Final[dict[str, Test]] = {
    "estimated_total": _estimated_total,
    "safety_conflict": _safety_conflict,
    "contradictory_sheet": _contradictory_sheet,
    "sheet_problem": _sheet_problem,
    "problems_withheld": _problems_withheld,
}

KINDS: Final[dict[str, Test]] = MONOTONE | DOUBTS | CONFLICTS
