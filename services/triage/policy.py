"""Loads a policy and refuses one that could not be signed: every fault at once, each with its place.

Checked here: the shape; that codes exist; that a longer clock belongs to a less urgent level; that no
condition which can come and go may raise; and that every safety item, red flag and requested priority of
the vocabulary has an outcome.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final, get_args

from services.triage import substance
from services.triage.calendars import Clock, always_shorter
from services.triage.conditions import CONFLICTS
from services.triage.policy_files import POLICIES as POLICIES
from services.triage.policy_files import PolicyRefused, read_indications, read_policy
from services.triage.reach import indications_never_used, never_fires, without_outcome
from services.triage.rules import (
    URGENCIES,
    Condition,
    LevelRule,
    Policy,
    Rule,
    TeamRule,
    at_least_as_urgent,
)
from services.triage.words import forbidden_in
from shared.instruments import INSTRUMENTS
from shared.instruments.problems import ProblemCode
from shared.vocabulary import RED_FLAGS, Priority, Urgency

A_DAY: Final = timedelta(days=1)
MUST_ASK: Final = (
    "safety_not_assessed",
    "not_scored",
    "no_safety_question",
    "safety_conflict",
    "contradictory_sheet",
    "unknown_red_flag",
    "unknown_problem",
    "age_unknown",
    "no_consent",
    "problems_withheld",
)
ACTIONS: Final = frozenset({"confirm", "raise", "lower", "return"})


def load(path: Path, indications: Path = POLICIES / "indications.toml") -> Policy:
    """Raises `PolicyRefused`, naming the file and every fault in it."""
    policy = read_policy(path).policy(read_indications(indications).indications())
    faults = list(check(policy))
    if faults:
        raise PolicyRefused(path.name, faults)
    return policy


def check(policy: Policy) -> Iterator[str]:
    """What is wrong with a policy of the right shape, in sentences."""
    yield from _clocks(policy.clocks)
    if policy.review_at_latest > A_DAY:
        yield "review_at_latest: a safety answer waits for a person a day at most"
    yield from _ids(policy)
    yield from _conditions(policy)
    yield from _safety_items(policy)
    yield from _flags(policy)
    yield from _priorities(policy)
    yield from _doubts(policy)
    yield from _wording(policy)
    if set(policy.clocks) == set(Urgency):
        yield from without_outcome(policy)
    yield from indications_never_used(policy)
    if set(policy.reasons) != ACTIONS or not all(policy.reasons.values()):
        yield f"reasons: needs at least one code each for {', '.join(sorted(ACTIONS))}"
    if not policy.next_steps:
        yield "next_steps: a referral can not be returned without one"


def _clocks(clocks: dict[Urgency, Clock]) -> Iterator[str]:
    for urgency in URGENCIES:
        if urgency not in clocks:
            yield f"clocks: {urgency} has none"
    for shorter, longer in pairwise(u for u in URGENCIES if u in clocks):
        if not always_shorter(clocks[shorter], clocks[longer]):
            yield f"clocks: {longer} must be longer than {shorter}"


def _all_rules(policy: Policy) -> Iterator[Rule | LevelRule | TeamRule]:
    yield from policy.rules
    yield from policy.levels
    yield from policy.team


def _ids(policy: Policy) -> Iterator[str]:
    seen: set[str] = set()
    for rule in _all_rules(policy):
        if rule.id in seen:
            yield f"{rule.id}: this id is used twice"
        seen.add(rule.id)


def _conditions(policy: Policy) -> Iterator[str]:
    for rule in _all_rules(policy):
        faults = [fault for condition in rule.when for fault in _condition(condition)]
        yield from (f"{rule.id}: {fault}" for fault in faults)
        if not faults:
            yield from never_fires(rule)
        for condition in rule.when:
            if condition.kind in CONFLICTS and not (isinstance(rule, Rule) and rule.raises_to is None):
                yield f"{rule.id}: {condition.kind} can come and go; it may ask for a person, not raise"
            if condition.kind == "urgency" and isinstance(rule, Rule):
                yield f"{rule.id}: an urgency rule cannot depend on the urgency"
    for rule in policy.rules:
        if rule.raises_to is None and not rule.asks_review:
            yield f"{rule.id}: does nothing; it must raise or ask for a review"
        if rule.raises_to in (Urgency.ROUTINE, Urgency.PREVENTIVE):
            yield f"{rule.id}: {rule.raises_to} raises nothing"
        if rule.holds and not rule.asks_review:
            yield f"{rule.id}: what holds must ask for a review, or nobody would end it"


def _condition(condition: Condition) -> Iterator[str]:
    if condition.instrument is not None and condition.instrument not in INSTRUMENTS:
        yield f"instrument {condition.instrument} is not known"
        return
    yield from _out_of_reach(condition)
    instruments = [INSTRUMENTS[condition.instrument]] if condition.instrument else INSTRUMENTS.values()
    known = {item.key for each in instruments for item in each.items}
    for item in condition.items:
        if item not in known:
            yield f"item {item} is not known"


def _out_of_reach(condition: Condition) -> Iterator[str]:
    """A condition that no answer sheet can meet would be a rule that never fires."""
    if condition.instrument is None:
        return
    instrument = INSTRUMENTS[condition.instrument]
    if condition.kind in ("total", "estimated_total") and (condition.at_least or 0) > (
        instrument.max_total or 0
    ):
        yield f"{instrument.key} never reaches {condition.at_least}"
    if condition.kind == "clusters" and not instrument.clusters:
        yield f"{instrument.key} has no criteria to meet"
    if condition.kind == "safety_item" and set(condition.items) - set(instrument.safety_items):
        yield f"{instrument.key}: not all of {', '.join(condition.items)} are safety items"


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


def _flags(policy: Policy) -> Iterator[str]:
    covered = {flag for _, condition in _alone(policy, "red_flag") for flag in condition.any_of}
    for flag in sorted(RED_FLAGS - covered):
        yield f"red flag {flag}: no rule answers it"


def _priorities(policy: Policy) -> Iterator[str]:
    covered = {asked for _, condition in _alone(policy, "requested_priority") for asked in condition.any_of}
    for priority in Priority:
        if priority not in covered and priority is not Priority.ROUTINE:
            yield f"requested priority {priority}: no rule answers it"
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


def _wording(policy: Policy) -> Iterator[str]:
    for rule, _ in _alone(policy, "problems_withheld"):
        for told in substance.TELLING.finditer(f"{rule.id} {rule.text}"):
            yield f"{rule.id}: {told.group(0)!r} would tell the network what is withheld"
    for text in policy.texts():
        for word in forbidden_in(text):
            yield f"the wording {word!r} is not allowed: an urgency is a response time and no more"
