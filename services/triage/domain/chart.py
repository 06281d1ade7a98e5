"""What triage decides on: a case at one revision, its answer sheets already scored."""

import sys
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Charts:
    """The `whole` chart decides. `shareable` is what the network may know, None where nothing is withheld."""

    whole: Chart
    shareable: Chart | None = None

    @property
    def network(self) -> Chart:
        return self.shareable or self.whole


@dataclass(frozen=True, slots=True)
class Stated:
    """What one request itself states: fields of the chart, and the number of its sheets, which are the last
    ones."""

    parts: frozenset[str] = frozenset()
    sheets: int = 0


SIGNALS: Final = frozenset(
    {"red_flags", "diagnoses", "problems", "external_levels", "requested_priority", "past_attempt"}
)
"""Fields that a rule may ask about by themselves. The others say about whom."""
CONTEXT: Final = frozenset({"age", "perinatal"})
"""Fields that say about whom, and may ask for a response by themselves when they are stated."""
NOTHING: Final = Stated()
EVERYTHING: Final = Stated(SIGNALS | CONTEXT, sheets=sys.maxsize)


def as_stated(chart: Chart, stated: Stated) -> Chart:
    """What the request states, of the person as far as they are known."""
    sheets = chart.sheets[-stated.sheets :] if stated.sheets else ()
    signals = {name: getattr(chart, name) for name in SIGNALS & stated.parts}
    return replace(_of_the_person(chart), sheets=sheets, **signals)


def not_stated(chart: Chart, stated: Stated) -> Chart:
    """The person alone, as far as the request does not state who they are."""
    person = _of_the_person(chart)
    return replace(
        person,
        age=None if "age" in stated.parts else person.age,
        perinatal=None if "perinatal" in stated.parts else person.perinatal,
    )


def _of_the_person(chart: Chart) -> Chart:
    return Chart(
        age=chart.age,
        sex=chart.sex,
        perinatal=chart.perinatal,
        guardian=chart.guardian,
        requested_priority=Priority.ROUTINE,
    )
