"""What triage decides on: a case at one revision, its answer sheets already read."""

from dataclasses import dataclass
from datetime import date

from shared.instruments import Reading
from shared.vocabulary import Priority, Sex


@dataclass(frozen=True, slots=True)
class Sheet:
    taken_on: date
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Only what the rules ask about. None means not known, which is never the same as no.
    `problems_withheld`: there are problems, and the person has agreed to share none of them.
    `not_understood`: parts of the form, each once for every value in it that nobody knew."""

    age: int | None = None
    sex: Sex = Sex.UNKNOWN
    perinatal: bool | None = None
    guardian: str = "not_needed"
    requested_priority: Priority = Priority.UNKNOWN
    problems: frozenset[str] = frozenset()
    diagnoses: frozenset[str] = frozenset()
    red_flags: frozenset[str] = frozenset()
    sheets: tuple[Sheet, ...] = ()
    past_attempt: bool | None = None
    external_levels: frozenset[str] = frozenset()
    treatments_without_benefit: int = 0
    shares_with_network: bool = True
    read_notes: int | None = None
    problems_withheld: bool = False
    not_understood: tuple[str, ...] = ()
