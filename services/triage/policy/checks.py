"""Loads a policy and refuses one that could not be signed: every fault at once, each with its place.

Checked here: the shape; that codes exist; that a longer clock belongs to a less urgent level; that no
condition which can come and go may raise; that every safety item, red flag, diagnosis signal, requested
priority and doubt has an outcome; and that what is more severe is never answered later.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeVar

from services.triage.domain.business_days import Clock, always_shorter
from services.triage.domain.conditions import CONFLICTS
from services.triage.domain.policy import Condition, LevelRule, Policy, Rule, TeamRule
from services.triage.policy.digest import with_digest
from services.triage.policy.load import POLICIES as POLICIES
from services.triage.policy.load import PolicyRefused, read_indications, read_policy
from services.triage.policy.reachability import indications_never_used, never_fires, without_outcome
from services.triage.policy.safety_minimum import too_little
from shared.instruments import INSTRUMENTS
from shared.vocabulary import URGENCIES, Urgency

AnyRule = TypeVar("AnyRule", Rule, LevelRule, TeamRule)

A_DAY: Final = timedelta(days=1)
ACTIONS: Final = frozenset({"confirm", "raise", "lower", "return", "ask"})


def load(
    path: Path, indications: Path = POLICIES / "indications.toml", *, who_diagnosis_codes: bool = False
) -> Policy:
    """For a network with or without ICD-10 codes of the WHO. Raises `PolicyRefused`, naming the file and
    every fault in it."""
    policy = read_policy(path).policy(read_indications(indications).indications())
    faults = list(check(policy))
    if faults:
        raise PolicyRefused(path.name, faults)
    return with_digest(_with_who_codes(policy) if who_diagnosis_codes else policy)


def _with_who_codes(policy: Policy) -> Policy:
    def with_codes(rule: AnyRule) -> AnyRule:
        return replace(rule, when=tuple(replace(condition, who_codes=True) for condition in rule.when))

    return replace(
        policy,
        rules=tuple(map(with_codes, policy.rules)),
        levels=tuple(map(with_codes, policy.levels)),
        team=tuple(map(with_codes, policy.team)),
    )


def check(policy: Policy) -> Iterator[str]:
    """What is wrong with a policy of the right shape, in sentences."""
    yield from _clocks(policy.clocks)
    if policy.review_at_latest > A_DAY:
        yield "review_at_latest: a safety answer waits for a person a day at most"
    yield from _ids(policy)
    yield from _conditions(policy)
    yield from _waiting(policy)
    yield from too_little(policy)
    if set(policy.clocks) == set(Urgency):
        yield from without_outcome(policy)
    yield from indications_never_used(policy)
    if set(policy.reasons) != ACTIONS or not all(policy.reasons.values()):
        yield f"reasons: needs at least one code each for {', '.join(sorted(ACTIONS))}"
    if not policy.next_steps:
        yield "next_steps: a referral can not be returned without one"
    if not policy.advice:
        yield "advice: a referral can not be returned without any"
    if not policy.questions:
        yield "questions: a referrer can be asked nothing"


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
    for rule in (*_all_rules(policy), policy.better, *policy.waiting.values()):
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


def _waiting(policy: Policy) -> Iterator[str]:
    """Nobody waits without an end, and nobody longer for being more urgent."""
    for urgency in URGENCIES:
        if urgency not in policy.waiting:
            yield f"waiting: {urgency} has no end"
    for sooner, later in pairwise(u for u in URGENCIES if u in policy.waiting):
        if policy.waiting[sooner].after > policy.waiting[later].after:
            yield f"waiting: {sooner} must not wait longer than {later}"
