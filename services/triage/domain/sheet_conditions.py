"""Conditions on answer sheets."""

from collections.abc import Iterator

from services.triage.domain.chart import Chart, Sheet
from services.triage.domain.datum import Datum
from services.triage.domain.policy import Condition
from shared.instruments import SAFETY_INSTRUMENTS, Reading


def _sheets(condition: Condition, chart: Chart) -> Iterator[Sheet]:
    for sheet in chart.sheets:
        if condition.instrument in (None, sheet.reading.instrument):
            yield sheet


def safety_item(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in _sheets(condition, chart):
        for fired in sheet.reading.fired:
            if fired.item in condition.items and fired.value >= (condition.at_least or 1):
                answer = "not answered" if fired.assumed else str(fired.value)
                yield Datum(f"{fired.instrument}.{fired.item}={answer}", sheet.taken_on)


def answer(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in _sheets(condition, chart):
        for item, value in sheet.reading.values:
            if item in condition.items and value >= (condition.at_least or 1):
                yield Datum(f"{sheet.reading.instrument}.{item}={value}", sheet.taken_on)


def total(condition: Condition, chart: Chart) -> Iterator[Datum]:
    """By the sum of what was answered: an estimate for missing items does not raise, it asks for a person."""
    for sheet in _sheets(condition, chart):
        reading = sheet.reading
        if reading.given >= (condition.at_least or 0):
            sign = ">=" if reading.missing else "="
            yield Datum(f"{reading.instrument}.total{sign}{reading.given}", sheet.taken_on)


def estimated_total(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in _sheets(condition, chart):
        reading = sheet.reading
        if reading.prorated and reading.given < (condition.at_least or 0) <= (reading.total or 0):
            text = f"{reading.instrument}.total~{reading.total}, {len(reading.missing)} items missing"
            yield Datum(text, sheet.taken_on)


def clusters(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in _sheets(condition, chart):
        if sheet.reading.clusters_met:
            yield Datum(f"{sheet.reading.instrument}=criteria met", sheet.taken_on)


def safety_not_assessed(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in _sheets(condition, chart):
        for item in sheet.reading.not_assessed:
            yield Datum(f"{sheet.reading.instrument}.{item}=not assessed", sheet.taken_on)


def not_scored(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in _sheets(condition, chart):
        if sheet.reading.too_open:
            yield Datum(f"{sheet.reading.instrument}.result=not assessed", sheet.taken_on)


def no_safety_question(_: Condition, chart: Chart) -> Iterator[Datum]:
    """A no keeps only so long: an old sheet does not answer the question for today."""
    asked = (s.reading for s in chart.sheets if s.reading.instrument in SAFETY_INSTRUMENTS)
    if not any(reading.current for reading in asked):
        yield Datum("screenings=no safety question asked")


def safety_conflict(_: Condition, chart: Chart) -> Iterator[Datum]:
    """One instrument positive, another answered with no: somebody should ask again."""
    positive = {sheet.reading.instrument for sheet in chart.sheets if sheet.reading.fired}
    negative = {sheet.reading.instrument for sheet in chart.sheets if _answered_no(sheet.reading)}
    for instrument in negative - positive:
        for other in positive:
            yield Datum(f"{instrument}=no safety item positive, {other}=positive")


def _answered_no(reading: Reading) -> bool:
    return reading.instrument in SAFETY_INSTRUMENTS and not reading.fired and not reading.not_assessed


def contradictory_sheet(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in _sheets(condition, chart):
        for item in sheet.reading.contradictions:
            yield Datum(f"{sheet.reading.instrument}.{item}=yes after no", sheet.taken_on)


def sheet_problem(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for sheet in chart.sheets:
        for problem in sheet.reading.problems:
            if problem.code in condition.any_of:
                name = sheet.reading.instrument if sheet.reading.known else "screening"
                place = f"{name}.{problem.item}" if problem.item else name
                yield Datum(f"{place}={problem.code}", sheet.taken_on)
