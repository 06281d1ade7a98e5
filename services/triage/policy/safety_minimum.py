"""What every policy does at least, whatever else it says: each safety item, red flag, diagnosis signal,
requested priority and doubt has an outcome, what is more severe is never answered later, and no sentence
labels a person or tells what it withholds.

Part of what `policy.py` checks before a policy may be loaded.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final, get_args

from services.triage.domain import substance_use
from services.triage.domain.policy import Condition, Policy, Rule
from services.triage.policy.forbidden_words import BEING_TOLD, forbidden_in
from shared.clinical import DIAGNOSES
from shared.instruments import INSTRUMENTS
from shared.instruments.problems import ProblemCode
from shared.vocabulary import (
    EXPRESS_RED_FLAGS,
    NOT_UNDERSTOOD_BY_CLINICIANS,
    RED_FLAGS,
    URGENCIES,
    Priority,
    Urgency,
    at_least_as_urgent,
)

A_DAY_AT_MOST: Final = URGENCIES.index(Urgency.URGENT)
FIRST_CALLED: Final = Urgency.VERY_URGENT
"""The least urgent level for which the psychiatrist on call is called at once."""
WITHIN_A_DAY: Final = frozenset({"red_flag", "answer", "express", "requested_priority"})
"""Parts of a form in which a value that nobody knows may say that somebody is in danger."""
MUST_ASK: Final = (
    "safety_not_assessed",
    "not_scored",
    "no_safety_question",
    "safety_conflict",
    "contradictory_sheet",
    "unknown_red_flag",
    "unknown_problem",
    "who_diagnosis",
    "age_unknown",
    "no_consent",
    "problems_withheld",
    "read_notes",
)


def too_little(policy: Policy) -> Iterator[str]:
    """In sentences; nothing when the policy does at least what all of them do."""
    yield from _safety_items(policy)
    yield from _by_tier(policy)
    yield from _flags(policy)
    yield from _diagnoses(policy)
    yield from _priorities(policy)
    yield from _doubts(policy)
    yield from _wording(policy)


def _alone(policy: Policy, kind: str) -> Iterator[tuple[Rule, Condition]]:
    """Rules that this one condition is enough for."""
    for rule in policy.rules:
        if len(rule.when) == 1 and rule.when[0].kind == kind:
            yield rule, rule.when[0]


def _safety_items(policy: Policy) -> Iterator[str]:
    """Every safety item of every instrument, alone and at its lowest positive answer, means a day."""
    covered = {
        (condition.instrument, item)
        for rule, condition in _alone(policy, "safety_item")
        if (condition.at_least or 1) <= 1 and rule.raises_to and rule.asks_review
        if at_least_as_urgent(rule.raises_to, Urgency.URGENT)
        for item in condition.items
    }
    for instrument in INSTRUMENTS.values():
        for item in instrument.safety_items:
            if (instrument.key, item) not in covered and (None, item) not in covered:
                yield f"{instrument.key}.{item}: no rule of its own raises it to urgent and asks a person"


def _by_tier(policy: Policy) -> Iterator[str]:
    """A more severe tier of an instrument is answered at least as soon as a less severe one."""
    for instrument in INSTRUMENTS.values():
        for severe, less in pairwise(instrument.tiers):
            if _latest(policy, instrument.key, severe.items) > _soonest(policy, instrument.key, less.items):
                yield f"{instrument.key}: {less.key} would be answered sooner than {severe.key}"


def _latest(policy: Policy, instrument: str, items: Iterable[str]) -> int:
    return max(_place_of(policy, instrument, item) for item in items)


def _soonest(policy: Policy, instrument: str, items: Iterable[str]) -> int:
    return min(_place_of(policy, instrument, item) for item in items)


def _place_of(policy: Policy, instrument: str, item: str) -> int:
    """The place of its urgency in the order, the most urgent first, for this item alone."""
    return _first(
        rule
        for rule, condition in _alone(policy, "safety_item")
        if item in condition.items and condition.instrument in (None, instrument)
    )


def _first(rules: Iterable[Rule]) -> int:
    return min((URGENCIES.index(rule.raises_to) for rule in rules if rule.raises_to), default=len(URGENCIES))


def _flags(policy: Policy) -> Iterator[str]:
    alone = list(_alone(policy, "red_flag"))
    covered = {flag for _, condition in alone for flag in condition.any_of}
    asked = {flag for rule, condition in alone if rule.asks_review for flag in condition.any_of}
    for flag in sorted(EXPRESS_RED_FLAGS & covered - asked):
        yield f"red flag {flag}: whoever states it is told that a clinician is being told, so it must ask one"
    for flag in sorted(RED_FLAGS - covered):
        yield f"red flag {flag}: no rule answers it"
    for flag in sorted(EXPRESS_RED_FLAGS & covered):
        if _first(rule for rule, condition in alone if flag in condition.any_of) > A_DAY_AT_MOST:
            yield f"red flag {flag}: cannot wait at the door, so it must be urgent or more"


def _diagnoses(policy: Policy) -> Iterator[str]:
    """Each signal, alone, is answered as soon as its file says, and a person looks."""
    alone = [(rule, condition) for rule, condition in _alone(policy, "diagnosis_signal") if rule.asks_review]
    for signal in DIAGNOSES.signals.values():
        latest = URGENCIES.index(signal.level)
        if _first(rule for rule, condition in alone if signal.id in condition.any_of) > latest:
            yield f"diagnosis {signal.id}: no rule of its own raises it to {signal.level} and asks a person"


def _priorities(policy: Policy) -> Iterator[str]:
    alone = list(_alone(policy, "requested_priority"))
    covered = {asked for _, condition in alone for asked in condition.any_of}
    for priority in Priority:
        if priority not in covered and priority is not Priority.ROUTINE:
            yield f"requested priority {priority}: no rule answers it"
    for sooner, later in pairwise((Priority.STAT, Priority.ASAP, Priority.URGENT, Priority.ROUTINE)):
        first, second = (_first(r for r, c in alone if asked in c.any_of) for asked in (sooner, later))
        if first > second:
            yield f"requested priority {later}: would be answered sooner than {sooner}"
    unknown = [r for r, c in _alone(policy, "requested_priority") if Priority.UNKNOWN in c.any_of]
    if not any(rule.asks_review for rule in unknown):
        yield "requested priority unknown: must go to a person"


def _doubts(policy: Policy) -> Iterator[str]:
    """What is not known, not understood or contradictory reaches a person under every policy."""
    for kind in MUST_ASK:
        if not any(rule.asks_review and not condition.instrument for rule, condition in _alone(policy, kind)):
            yield f"{kind}: must go to a person"
    asked = {c for rule, each in _alone(policy, "sheet_problem") if rule.asks_review for c in each.any_of}
    for code in sorted(set(get_args(ProblemCode)) - asked):
        yield f"sheet_problem {code}: must go to a person"
    yield from _not_understood(policy)


def _not_understood(policy: Policy) -> Iterator[str]:
    alone = [(rule, each.any_of) for rule, each in _alone(policy, "not_understood") if rule.asks_review]
    for part in sorted(NOT_UNDERSTOOD_BY_CLINICIANS):
        rules = [rule for rule, parts in alone if part in parts]
        if not rules:
            yield f"not_understood {part}: must go to a person"
        elif part in WITHIN_A_DAY and _first(rules) > A_DAY_AT_MOST:
            yield f"not_understood {part}: may be about danger, so it must be urgent or more"


def _wording(policy: Policy) -> Iterator[str]:
    for rule, _ in _alone(policy, "problems_withheld"):
        for match in substance_use.REVEALING.finditer(f"{rule.id} {rule.text}"):
            yield f"{rule.id}: {match.group(0)!r} would tell the network what is withheld"
    for rule in policy.rules:
        if called := BEING_TOLD.search(rule.text):
            yield (
                f"{rule.id}: {called.group(0)!r} is not true of every decision in which the rule fires; "
                "say it in being_told"
            )
        if rule.being_told and not (rule.raises_to and at_least_as_urgent(rule.raises_to, FIRST_CALLED)):
            yield f"{rule.id}: being_told, but the psychiatrist is called from {FIRST_CALLED} on"
    for text in policy.texts():
        for word in forbidden_in(text):
            yield f"the wording {word!r} is not allowed: an urgency is a response time and no more"
