"""Every rule can fire, and everything that can come in has an outcome: tried out, not read off.

Part of what `policy.py` checks before a policy may be loaded.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from services.triage.domain.chart import Chart
from services.triage.domain.conditions import all_data
from services.triage.domain.policy import Condition, LevelRule, Policy, Rule, TeamRule
from services.triage.domain.urgency import assess_urgency
from services.triage.policy.smallest_chart import best, witness, worst
from shared.instruments import INSTRUMENTS, SAFETY_INSTRUMENTS, Instrument
from shared.vocabulary import EXTERNAL_LEVELS, PROBLEMS, Priority, Urgency

AnyRule = Rule | LevelRule | TeamRule

MOMENT: Final = datetime(2000, 1, 3, tzinfo=UTC)


def never_fires(rule: AnyRule) -> Iterator[str]:
    """The rule as a whole, and each code and item in it by itself. Its instruments and items are known."""
    if witness(rule.when) is None:
        yield f"{rule.id}: can never fire"
        return
    for place, condition in enumerate(rule.when):
        for name, alone in _each_alone(condition):
            if witness((*rule.when[:place], alone, *rule.when[place + 1 :])) is None:
                yield f"{rule.id}: {condition.kind} {name} can never fire"


def _each_alone(condition: Condition) -> Iterator[tuple[str, Condition]]:
    yield from ((code, replace(condition, any_of=(code,))) for code in condition.any_of)
    yield from ((item, replace(condition, items=(item,))) for item in condition.items)


def without_outcome(policy: Policy) -> Iterator[str]:
    """What can be measured but is looked at by no rule, problems without an offer, a clock nobody gets."""
    rules: tuple[AnyRule, ...] = (*policy.rules, *policy.levels, *policy.team)
    for instrument in INSTRUMENTS.values():
        if _says_something(instrument) and not _answered(instrument, rules):
            yield f"{instrument.key}: at its worst no rule answers it"
    offered = {indication.problem for indication in policy.indications}
    for problem in sorted(PROBLEMS - offered):
        yield f"problem {problem}: no modality is named for it"
    answered = {c for rule in policy.levels for each in rule.when for c in each.any_of}
    for level in sorted(EXTERNAL_LEVELS - answered):
        yield f"external level {level}: no rule says what it means here"
    yield from _preventive(policy)


def _says_something(instrument: Instrument) -> bool:
    """A form with no cut-off, band, criterion or safety item has nothing that a rule could stand on."""
    return bool(instrument.cut_offs or instrument.bands or instrument.clusters or instrument.safety_items)


def _answered(instrument: Instrument, rules: Iterable[AnyRule]) -> bool:
    chart = Chart(sheets=(worst(instrument),))
    asked = (condition for rule in rules for condition in rule.when)
    return any(all_data((c,), chart) for c in asked if c.instrument == instrument.key)


def _preventive(policy: Policy) -> Iterator[str]:
    """The longest clock is for those of whom everything is known and little is asked, and can be reached."""
    wanted = policy.preventive
    for problem in sorted(wanted.problems - PROBLEMS):
        yield f"preventive: problem {problem} is not in the vocabulary"
    for instrument in INSTRUMENTS.values():
        for band in instrument.bands:
            if band.key in wanted.bands and band.low > 0:
                yield f"preventive: {band.key} is not the lowest band of {instrument.key}"
    for problem in sorted(wanted.problems & PROBLEMS):
        if not _reaches_preventive(policy, problem):
            yield f"preventive: {problem} never comes to it, whatever is answered"


def _reaches_preventive(policy: Policy, problem: str) -> bool:
    charts = (
        Chart(
            age=40,
            problems=frozenset({problem}),
            requested_priority=Priority.ROUTINE,
            sheets=(best(instrument),),
        )
        for instrument in INSTRUMENTS.values()
        if instrument.key in SAFETY_INSTRUMENTS
    )
    return any(assess_urgency(c, policy, asked_at=MOMENT).urgency is Urgency.PREVENTIVE for c in charts)


def indications_never_used(policy: Policy) -> Iterator[str]:
    for rule in policy.indications:
        name = f"indication {rule.problem}, {rule.modality}"
        if rule.age_from >= rule.age_below:
            yield f"{name}: no age lies in its range"
        if rule.total_from >= rule.total_below:
            yield f"{name}: no total lies in its range"
        instrument = INSTRUMENTS.get(rule.instrument or "")
        if rule.instrument and instrument is None:
            yield f"{name}: instrument {rule.instrument} is not known"
        elif instrument and rule.total_from > (instrument.max_total or 0):
            yield f"{name}: {rule.instrument} never reaches {rule.total_from}"
