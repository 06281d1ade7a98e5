"""Conditions on the coded parts of a chart, its answer sheets left aside."""

from collections.abc import Iterator
from typing import Final

from services.triage.domain.chart import Chart
from services.triage.domain.datum import Datum
from services.triage.domain.policy import Condition
from shared.clinical import DIAGNOSES
from shared.vocabulary import (
    NOT_UNDERSTOOD_BY_CLINICIANS,
    NOT_UNDERSTOOD_BY_COORDINATORS,
    PROBLEMS,
    RED_FLAGS,
)

PARTS: Final = NOT_UNDERSTOOD_BY_CLINICIANS | NOT_UNDERSTOOD_BY_COORDINATORS
"""The parts of a form that a rule about values nobody knew may name."""


def red_flag(condition: Condition, chart: Chart) -> Iterator[Datum]:
    return (Datum(f"red_flag={flag}") for flag in chart.red_flags.intersection(condition.any_of))


def problem(condition: Condition, chart: Chart) -> Iterator[Datum]:
    return (Datum(f"problem={problem}") for problem in chart.problems.intersection(condition.any_of))


def diagnosis(condition: Condition, chart: Chart) -> Iterator[Datum]:
    """By the beginning of the code: `F31` is every bipolar disorder."""
    return (Datum(f"diagnosis={d}") for d in chart.diagnoses if d.startswith(condition.any_of))


def diagnosis_signal(condition: Condition, chart: Chart) -> Iterator[Datum]:
    for code in chart.diagnoses:
        if not DIAGNOSES.of(code, who_codes=condition.who_codes).isdisjoint(condition.any_of):
            yield Datum(f"diagnosis={code}")


def who_diagnosis(condition: Condition, chart: Chart) -> Iterator[Datum]:
    """Where the network has no codes of the WHO, what such a code says is not acted on but asked about."""
    if not condition.who_codes:
        yield from (Datum(f"diagnosis={d}") for d in chart.diagnoses if DIAGNOSES.needs_who_setting(d))


def unknown_red_flag(_: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.red_flags - RED_FLAGS:
        yield Datum("red_flag=a code that is not known")


def unknown_problem(_: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.problems - PROBLEMS:
        yield Datum("problem=a code that is not known")


def not_understood(condition: Condition, chart: Chart) -> Iterator[Datum]:
    """With their number: one more of a part that a clinician has settled is a new finding."""
    parts = [part if part in PARTS else "other" for part in chart.not_understood]
    for part in set(parts).intersection(condition.any_of):
        count = parts.count(part)
        yield Datum(f"not_understood={part}" + (f", {count} values" if count > 1 else ""))


def requested_priority(condition: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.requested_priority in condition.any_of:
        yield Datum(f"requested_priority={chart.requested_priority}")


def age(condition: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.age is None:
        return
    if chart.age >= (condition.at_least or 0) and (condition.below is None or chart.age < condition.below):
        yield Datum(f"age={chart.age}")


def age_unknown(_: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.age is None:
        yield Datum("age=not known")


def sex(condition: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.sex in condition.any_of:
        yield Datum(f"sex={chart.sex}")


def perinatal(_: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.perinatal:
        yield Datum("perinatal=yes")


def guardian(condition: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.guardian in condition.any_of:
        yield Datum(f"guardian={chart.guardian}")


def no_consent(_: Condition, chart: Chart) -> Iterator[Datum]:
    if not chart.shares_with_network:
        yield Datum("consent.share_with_network=no")


def read_notes(_: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.read_notes is not None:
        yield Datum(f"read_notes=of revision {chart.read_notes}")


def problems_withheld(_: Condition, chart: Chart) -> Iterator[Datum]:
    """Says nothing about the problems: the network reads this."""
    if chart.problems_withheld:
        yield Datum("consent=too narrow to match on")


def past_attempt(_: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.past_attempt:
        yield Datum("past_attempt=yes")


def external_level(condition: Condition, chart: Chart) -> Iterator[Datum]:
    return (
        Datum(f"external_level={level}") for level in chart.external_levels.intersection(condition.any_of)
    )


def treatments_without_benefit(condition: Condition, chart: Chart) -> Iterator[Datum]:
    if chart.treatments_without_benefit >= (condition.at_least or 1):
        yield Datum(f"treatments_without_benefit={chart.treatments_without_benefit}")


def several_problems(condition: Condition, chart: Chart) -> Iterator[Datum]:
    if len(chart.problems) >= (condition.at_least or 1):
        yield Datum(f"problems={len(chart.problems)}")
