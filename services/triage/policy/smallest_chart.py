"""The smallest chart on which a rule fires, or none: then it never would, and no policy may hold it.

Exact because the conditions are few and closed: a sheet answered at its worst meets whatever any sheet can
meet, and where more is wanted (an estimate, a limit of age) every candidate is tried.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import product
from typing import Any, Final

from services.triage.domain.chart import Chart, Sheet
from services.triage.domain.conditions import all_data
from services.triage.domain.policy import Condition
from shared.clinical import DIAGNOSES
from shared.instruments import INSTRUMENTS, SAFETY_INSTRUMENTS, Answer, Circumstances, Instrument, read
from shared.vocabulary import PROBLEMS, URGENCIES, Urgency

OLDEST: Final = 130
DAY: Final = date(2000, 1, 1)
UNKNOWN: Final = "not_in_the_vocabulary"
CODE: Final = re.compile(r"[A-Z]([0-9]([0-9A-Z](\.[0-9A-Z]{0,4})?)?)?")
"""The beginning of an ICD-10-CM code."""

Changes = dict[str, Any]
"""The fields of a chart that a condition wants otherwise than empty."""


def witness(when: tuple[Condition, ...]) -> tuple[Chart, Urgency] | None:
    """A chart, and the urgency it would have to have, that meets every condition."""
    urgencies = URGENCIES if any(condition.kind == "urgency" for condition in when) else URGENCIES[:1]
    for parts in product(*(list(_candidates(condition, when)) for condition in when)):
        chart = Chart(**_together(parts))
        for urgency in urgencies:
            if all_data(when, chart, urgency=urgency):
                return chart, urgency
    return None


def worst(instrument: Instrument) -> Sheet:
    """Every item answered with its highest score."""
    return _sheet(instrument, (i.low if i.reversed else i.high for i in instrument.items))


def best(instrument: Instrument) -> Sheet:
    """Every item answered with its lowest score."""
    return _sheet(instrument, (i.high if i.reversed else i.low for i in instrument.items))


def _together(parts: Iterable[Changes]) -> Changes:
    whole: Changes = {}
    for part in parts:
        for name, value in part.items():
            if isinstance(value, frozenset):
                value = whole.get(name, frozenset()) | value
            elif isinstance(value, tuple):
                value = (*whole.get(name, ()), *value)
            whole[name] = value
    return whole


def _sheet(instrument: Instrument, answers: Iterable[Answer], stated: int | None = None) -> Sheet:
    return Sheet(DAY, read(instrument.key, tuple(answers), stated_total=stated))


def _instruments(condition: Condition) -> list[Instrument]:
    return [INSTRUMENTS[condition.instrument]] if condition.instrument else list(INSTRUMENTS.values())


def _candidates(condition: Condition, when: tuple[Condition, ...]) -> Iterator[Changes]:
    match condition.kind:
        case "age":
            yield from ({"age": age} for age in _ages(when))
        case "red_flag":
            yield from ({"red_flags": frozenset({flag})} for flag in condition.any_of)
        case "problem":
            yield from ({"problems": frozenset({problem})} for problem in condition.any_of)
        case "diagnosis":
            codes = (code for code in condition.any_of if CODE.fullmatch(code))
            yield from ({"diagnoses": frozenset({code})} for code in codes)
        case "diagnosis_signal":
            yield from ({"diagnoses": frozenset({code})} for code in DIAGNOSES.examples(condition.any_of))
        case "requested_priority" | "sex" | "guardian":
            yield from ({str(condition.kind): value} for value in condition.any_of)
        case "not_understood":
            yield from ({"not_understood": (part,)} for part in condition.any_of)
        case "external_level":
            yield from ({"external_levels": frozenset({level})} for level in condition.any_of)
        case "several_problems":
            yield {"problems": frozenset(sorted(PROBLEMS)[: condition.at_least])}
        case "treatments_without_benefit":
            yield {"treatments_without_benefit": condition.at_least or 1}
        case kind if kind in PLAIN:
            yield PLAIN[kind]
        case _:
            yield from ({"sheets": sheets} for sheets in _sheets(condition))


PLAIN: Final[dict[str, Changes]] = {
    "perinatal": {"perinatal": True},
    "past_attempt": {"past_attempt": True},
    "problems_withheld": {"problems_withheld": True},
    "no_consent": {"shares_with_network": False},
    "read_notes": {"read_notes": 1},
    "unknown_red_flag": {"red_flags": frozenset({UNKNOWN})},
    "unknown_problem": {"problems": frozenset({UNKNOWN})},
    "who_diagnosis": {"diagnoses": frozenset({"X60"})},
    "age_unknown": {"age": None},
    "no_safety_question": {},
    "urgency": {},
}


def _ages(when: tuple[Condition, ...]) -> list[int]:
    """The ends of every range of age in the rule: where ranges meet, they meet at one of these."""
    limits = [condition for condition in when if condition.kind == "age"]
    ends = {0, OLDEST, *(c.at_least or 0 for c in limits), *(c.below - 1 for c in limits if c.below)}
    return [age for age in sorted(ends) if 0 <= age <= OLDEST]


def _sheets(condition: Condition) -> Iterator[tuple[Sheet, ...]]:
    match condition.kind:
        case "estimated_total":
            for instrument in _instruments(condition):
                yield from ((sheet,) for sheet in _with_missing(instrument))
        case "sheet_problem":
            yield from ((sheet,) for sheet in _broken())
        case "safety_conflict":
            asked = [INSTRUMENTS[key] for key in sorted(SAFETY_INSTRUMENTS)]
            yield worst(asked[0]), _sheet(asked[1], [0] * asked[1].fewest_answers)
        case _:
            for instrument in _instruments(condition):
                yield (worst(instrument),)
                yield (_sheet(instrument, (item.high for item in instrument.items)),)
                yield (_sheet(instrument, (0 if not i.asked_if else i.high for i in instrument.items)),)
                yield (_sheet(instrument, (None for _ in instrument.items)),)


def _with_missing(instrument: Instrument) -> Iterator[Sheet]:
    """Every number of missing items that may be made up for, with every sum of the others."""
    answered = [item for item in instrument.items if item.scored]
    for missing in range(1, instrument.prorate_up_to + 1):
        given = answered[missing:]
        for total in range(sum(item.high for item in given) + 1):
            answers: list[Answer] = [None] * missing
            for item in given:
                score = min(item.high, total)
                answers.append(item.score(score))
                total -= score
            yield _sheet(instrument, answers)


def _broken() -> Iterator[Sheet]:
    """One sheet for each thing that can be wrong with a sheet."""
    phq9 = INSTRUMENTS["phq9"]
    yield Sheet(DAY, read(UNKNOWN, ()))
    yield _sheet(phq9, [0])
    yield _sheet(phq9, [99] * 9)
    yield Sheet(DAY, read("phq9", ("?",) * 9))  # type: ignore[arg-type]  # what the wire would have refused
    yield _sheet(phq9, [0] * 9, stated=1)
    for odd in (
        Circumstances(age=0),
        Circumstances(taken_on=DAY, as_of=DAY + timedelta(days=365)),
        Circumstances(taken_on=DAY, as_of=DAY - timedelta(days=365)),
    ):
        yield Sheet(DAY, read("phq9", [0] * 9, circumstances=odd))
