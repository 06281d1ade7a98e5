"""The page a clinical lead signs: `python -m careroute.policy.clinical_page > docs/clinical-policy.md`."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from careroute.policy.clinical_words import cell, clock, conditions, either, span, spoken
from services.triage.domain.business_days import BusinessDays
from services.triage.domain.policy import LevelRule, Policy, Rule, TeamRule
from services.triage.policy.checks import POLICIES, load
from services.triage.policy.load import read_policy
from services.triage.policy.schema import PolicyFile
from shared.clinical import DIAGNOSES, Encounter, Signal
from shared.instruments import TO_CONFIRM
from shared.vocabulary import WEEKDAYS

FIRST: Final = "network-default"
AnyRule = Rule | LevelRule | TeamRule

INTRODUCTION: Final = """\
# Clinical policy

Made from `services/triage/policies/*.toml` by `python -m careroute.policy.clinical_page >
docs/clinical-policy.md`; change the files, not this page. `careroute policy check FILE` says whether a file
can be loaded, `careroute policy replay FILE --since 90d` who would have been triaged differently under it.

An urgency is a response time. It says how soon somebody answers; it is no label for a person and
foretells nothing. Whatever a policy says:

- A rule can raise the urgency, ask for a clinician and hold matching until one has looked. It can not lower,
  close or reject. Only a named clinician lowers, with a reason.
- The most urgent rule that fires decides; nothing is added up. Each safety answer counts by itself, whatever
  the total.
- What is missing, refused, unknown or contradictory goes to a person.
- A policy that leaves a safety answer, a red flag or a requested priority without an outcome, or that holds a
  rule which can never fire, is not loaded.

**Status.** *Confirmed source*: the statement was read in the source named. *To be confirmed by a clinician*:
it is practice or this network's own rule, and counts only once you have signed it."""


DIAGNOSIS_SIGNALS: Final = """\
From `shared/clinical/diagnoses.toml`, by which intake chooses the express lane and triage its rules. A policy
may answer sooner than said here, not later, and a clinician always looks. A code stands for all that begin
with it. Where a poisoning, a toxic effect or an asphyxiation (T36 to T65, T71) states its intent, that is the
6th character, or the 5th where the 6th is X. Codes of the WHO's ICD-10 count where the network has switched
them on; elsewhere a clinician is asked what they mean."""

ENCOUNTERS: Final[dict[Encounter, str]] = {
    "any": "",
    "initial": "7th character A, none, or not D or S",
    "subsequent": "7th character D",
    "sequela": "7th character S",
    "not_sequela": "7th character not S",
}


def page() -> str:
    first = load(POLICIES / f"{FIRST}.toml")
    parts: list[str] = [INTRODUCTION, *_whole(first, read_policy(POLICIES / f"{FIRST}.toml"))]
    for path in sorted(POLICIES.glob("*.toml")):
        if path.stem not in (FIRST, "indications"):
            parts += _other(load(path), read_policy(path), first)
    return "\n\n".join(parts) + "\n"


def _whole(policy: Policy, file: PolicyFile) -> Iterator[str]:
    yield from _head(policy, file)
    yield "### Rules of urgency"
    yield from map(_rule, policy.rules)
    yield "### Diagnoses that are a signal"
    yield DIAGNOSIS_SIGNALS
    yield _diagnoses()
    yield "### The longest clock"
    wanted = policy.preventive
    yield (
        "**preventive**, only when all of it is known: the referral is for "
        f"{either(sorted(wanted.problems))} and nothing else, nothing is diagnosed, the priority asked for "
        "is routine, a complete instrument with a safety question came, every result is in the band "
        f"{either(sorted(wanted.bands))}, and no rule fired."
    )
    yield _said(wanted.text, wanted.source, wanted.status)
    yield "### Level of care"
    yield (
        "Our own levels; neither IAR-DST nor LOCUS. The highest single finding decides. Without one it is "
        "low intensity, or self-management under the longest clock."
    )
    yield from map(_rule, policy.levels)
    yield "### The team"
    yield "The therapist is always part of it."
    yield from map(_rule, policy.team)
    yield "### Modalities for each problem"
    yield _indications(policy)
    yield "### Reviews"
    yield _reviewing(policy)
    yield "### Asked again"
    better = policy.better
    yield f"Better answers: a clinician looks.\n\n{_said(better.text, better.source, better.status)}"
    yield "Who waits for a therapist is looked at again, and the referrer asked to measure again:"
    yield _waiting(policy)
    yield "### What a clinician may answer"
    for action, codes in policy.reasons.items():
        yield f"To {action}:\n\n" + _list(codes)
    yield (
        "Nothing is returned without a next step that has an owner and a date; the first is due within the "
        "referral's own response time:\n\n"
    ) + _list({code: step.text for code, step in policy.next_steps.items()})
    yield "Nor without advice:\n\n" + _list(policy.advice)
    yield "What a referrer may be asked:\n\n" + _list(policy.questions)
    yield _signature(policy)


def _other(policy: Policy, file: PolicyFile, first: Policy) -> Iterator[str]:
    """A policy that extends the first: what it says itself."""
    yield from _head(policy, file)
    known = set(chain[AnyRule](first.rules, first.levels, first.team))
    ids = {rule.id for rule in known}
    own = [rule for rule in chain[AnyRule](policy.rules, policy.levels, policy.team) if rule not in known]
    if file.calendar:
        yield _calendar(policy, file)
    yield f"Everything that is not said here is as in {first.name}, version {first.version}."
    if policy.reviewing != first.reviewing:
        yield _reviewing(policy)
    if policy.waiting != first.waiting:
        yield _waiting(policy)
    replaced = [rule for rule in own if rule.id in ids]
    added = [rule for rule in own if rule.id not in ids]
    for title, rules in (("Rules in place of those above", replaced), ("Rules besides those above", added)):
        if rules:
            yield f"### {policy.name}: {title[0].lower()}{title[1:]}"
            yield from map(_rule, rules)
    yield _signature(policy)


def _head(policy: Policy, file: PolicyFile) -> Iterator[str]:
    every = list(chain[AnyRule](policy.rules, policy.levels, policy.team))
    open_ = sum(rule.status == TO_CONFIRM for rule in every)
    yield f"## {policy.name}, version {policy.version}"
    yield (
        f"Status: **{file.status}**. {len(every)} rules, of which {open_} are to be confirmed by a "
        "clinician. What the rules will not settle a clinician looks at within "
        f"{span(policy.review_at_latest)}, or within the referral's own response time where that is shorter."
    )
    rows = [
        (
            f"**{spoken(urgency)}**",
            clock(one),
            file.clock_sources[urgency].source,
            file.clock_sources[urgency].status,
        )
        for urgency, one in policy.clocks.items()
    ]
    yield _table(("urgency", "somebody answers within", "source", "status"), rows)


def _calendar(policy: Policy, file: PolicyFile) -> str:
    calendar = next(c.calendar for c in policy.clocks.values() if isinstance(c, BusinessDays))
    assert file.calendar is not None
    days = ", ".join(WEEKDAYS[day] for day in sorted(calendar.week))
    holidays = ", ".join(day.isoformat() for day in sorted(calendar.holidays))
    return (
        f"**Business days** are {days} in the time zone {calendar.zone}, without the holidays. The day of "
        f"asking does not count; the deadline is {calendar.closes:%H:%M} on the last day counted. Holidays, "
        f"listed until {calendar.holidays_until}: {holidays}.\n\n"
        f"Source: {file.calendar.source} (*{file.calendar.status}*)."
    )


def _reviewing(policy: Policy) -> str:
    how = policy.reviewing
    shares = " and ".join(f"{share:.0%}" for share in how.remind_at)
    return (
        f"A clinician who has claimed a review holds it for {span(how.claim)}, or for the referral's own "
        "response time where that is shorter; until then nobody else decides it. A review past its time is "
        f"said to whoever is on call, and again every {span(how.overdue_again)} until it is decided, or as "
        "often as the response time where that is shorter.\n\n"
        f"A referrer who is asked for information answers within {span(how.answer_within)}, or within the "
        "referral's own response time where that is shorter, which goes on meanwhile. They are reminded "
        f"after {shares} of that time. Without an answer the review comes back and a clinician is called.\n\n"
        f"Source: {cell(how.source)} (*{how.status}*)."
    )


def _waiting(policy: Policy) -> str:
    rows = [
        (f"**{spoken(urgency)}**", span(rule.after), rule.text, rule.source, rule.status)
        for urgency, rule in policy.waiting.items()
    ]
    return _table(("urgency", "after", "text", "source", "status"), rows)


def _rule(rule: AnyRule) -> str:
    said = f"#### {rule.id}\n\nWhen {cell(conditions(rule.when))}: **{_effect(rule)}**.\n\n" + _said(
        rule.text, rule.source, rule.status
    )
    if isinstance(rule, Rule) and rule.being_told:
        return f"{said}\n\nAdded where it is stated now: {rule.being_told}"
    return said


def _effect(rule: AnyRule) -> str:
    if isinstance(rule, LevelRule):
        return f"care of at least {spoken(rule.level)} ({rule.domain})"
    if isinstance(rule, TeamRule):
        return f"{' and '.join(map(spoken, rule.adds))} {'first' if rule.first else 'as well'}"
    effects = [spoken(rule.raises_to)] if rule.raises_to else []
    effects += ["a clinician looks"] if rule.asks_review else []
    effects += ["matching waits until then"] if rule.holds else []
    return "; ".join(effects)


def _said(text: str, source: str, status: str) -> str:
    return f"> {text}\n\nSource: {cell(source)} (*{status}*)."


def _diagnoses() -> str:
    rows = [
        (
            signal.meaning,
            _codes(signal),
            spoken(signal.level),
            "yes" if signal.express else "no",
            signal.source,
            signal.status,
        )
        for signal in DIAGNOSES.signals.values()
    ]
    return _table(("meaning", "codes", "at the latest", "express, with advice", "source", "status"), rows)


def _codes(signal: Signal) -> str:
    said = [*signal.codes, *(f"exactly {code}" for code in signal.exactly)]
    if signal.intent:
        said.append(f"{' and '.join(DIAGNOSES.categories)} with intent {signal.intent}")
    said += [f"WHO: {code}" for code in signal.who_codes]
    said += [ENCOUNTERS[signal.encounter]] if ENCOUNTERS[signal.encounter] else []
    return ", ".join(said)


def _indications(policy: Policy) -> str:
    rows = [
        (
            spoken(rule.problem),
            spoken(rule.modality),
            spoken(rule.strength),
            _limits(rule.age_from, rule.age_below, rule.instrument, rule.total_from, rule.total_below),
            rule.source,
            rule.status,
        )
        for rule in policy.indications
    ]
    return _table(("problem", "modality", "strength", "for", "source", "status"), rows)


def _limits(age_from: int, age_below: int, instrument: str | None, total_from: int, total_below: int) -> str:
    said = []
    if age_from or age_below < 200:
        said.append(f"age {age_from} to {age_below - 1}" if age_below < 200 else f"age {age_from} or more")
    if instrument and total_below < 1000:
        said.append(f"{instrument} {total_from} to {total_below - 1}")
    elif instrument:
        said.append(f"{instrument} {total_from} or more")
    return ", ".join(said)


def _signature(policy: Policy) -> str:
    heads = (f"{policy.name}, version {policy.version}", "name and role", "date", "signature")
    return _table(heads, [("read and approved", " ", " ", " ")])


def _list(codes: dict[str, str]) -> str:
    return "\n".join(f"- `{code}`: {cell(text)}" for code, text in codes.items())


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(cell(c) if "**" not in c else c for c in line) + " |" for line in lines
    )


def main() -> None:
    sys.stdout.write(page())


if __name__ == "__main__":
    main()
