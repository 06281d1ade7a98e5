"""What a policy is made of. Nothing here knows a particular rule: the rules are data in `policies/`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from services.triage.domain.business_days import Clock
from shared.instruments import Status
from shared.vocabulary import LevelOfCare, Urgency

Member = Literal["therapist", "psychiatrist", "primary_care"]
Strength = Literal["first_line", "alternative"]

LEVELS: Final = tuple(LevelOfCare)


def more_care(a: LevelOfCare, b: LevelOfCare) -> LevelOfCare:
    return max(a, b, key=LEVELS.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One test of the chart, of a kind that `conditions.py` knows; the other fields are its parameters.
    `who_codes` is the network's, not the file's: diagnoses may be ICD-10 codes of the WHO."""

    kind: str
    instrument: str | None = None
    items: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    at_least: int | None = None
    below: int | None = None
    urgency: Urgency | None = None
    who_codes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """All of `when` must hold. A rule can raise, ask for a person, and hold; there is no way to lower.
    `being_told` is added to `text` where somebody is called because of it now."""

    id: str
    when: tuple[Condition, ...]
    text: str
    source: str
    status: Status
    raises_to: Urgency | None = None
    asks_review: bool = False
    holds: bool = False
    being_told: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text, self.being_told) if self.being_told else (self.text,)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRule:
    """One finding in one domain, and the level of care that it alone is enough for. Nothing is added up."""

    id: str
    domain: str
    when: tuple[Condition, ...]
    level: LevelOfCare
    text: str
    source: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRule:
    """Who else is needed; `first` are those who see the person before therapy starts."""

    id: str
    when: tuple[Condition, ...]
    adds: tuple[Member, ...]
    text: str
    source: str
    status: Status
    first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicationRule:
    """A modality that guidance names for a problem, for these ages and this range of a total."""

    problem: str
    modality: str
    strength: Strength
    source: str
    status: Status
    age_from: int = 0
    age_below: int = 200
    instrument: str | None = None
    total_from: int = 0
    total_below: int = 1000
    only_preventive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preventive:
    """What must all be known before the longest clock may be used."""

    problems: frozenset[str]
    bands: frozenset[str]
    text: str
    source: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewing:
    """How people work on reviews. `claim`: how long a claim keeps others from deciding. `overdue_again`: how
    long until an overdue review is published again. `answer_within`: how long the referrer has to respond at
    most; they are reminded at these shares of the time they have.
    """

    claim: timedelta
    overdue_again: timedelta
    answer_within: timedelta
    remind_at: tuple[float, ...]
    source: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Better:
    """What a clinician reads when the newest answers ask for less than those before."""

    text: str
    source: str
    status: Status
    id: str = "better-answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Whoever of this urgency has waited this long for a therapist is looked at again."""

    id: str
    after: timedelta
    text: str
    source: str
    status: Status


@dataclass(frozen=True, slots=True)
class NextStep:
    """What somebody does with a returned referral; with `names_a_service` its code is given."""

    text: str
    names_a_service: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A named, versioned set of clocks and rules, as a clinical lead signs it. `review_at_latest` is the
    longest a person may take to look at what the rules will not settle; a shorter clock of the referral wins.
    `reasons` are by action of a clinician, code and meaning. `digest`: see `policy/digest.py`.
    """

    name: str
    version: str
    clocks: dict[Urgency, Clock]
    review_at_latest: timedelta
    reviewing: Reviewing
    rules: tuple[Rule, ...]
    levels: tuple[LevelRule, ...]
    team: tuple[TeamRule, ...]
    preventive: Preventive
    indications: tuple[IndicationRule, ...]
    reasons: dict[str, dict[str, str]]
    next_steps: dict[str, NextStep]
    advice: dict[str, str]
    questions: dict[str, str]
    better: Better
    waiting: dict[Urgency, Waiting]
    digest: str = ""

    def texts(self) -> Iterator[str]:
        """Every sentence of this policy that a person may read."""
        yield from (text for rule in self.rules for text in rule.texts)
        yield from (rule.text for rule in self.levels)
        yield from (rule.text for rule in self.team)
        yield self.preventive.text
        yield from (text for codes in self.reasons.values() for text in codes.values())
        yield from (step.text for step in self.next_steps.values())
        yield from self.advice.values()
        yield from self.questions.values()
        yield self.better.text
        yield from (rule.text for rule in self.waiting.values())


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A rule that fired, on which datum, from which day's sheet, with the text a referrer may read.
    `being_told` is set where somebody is called because of it now."""

    rule: str
    datum: str
    text: str
    on: date | None = None
    being_told: str = ""
