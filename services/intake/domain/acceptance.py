"""Can we take it? And does somebody have to look before anybody else's turn?

A referral is not refused for what is missing or odd: an unanswered item, an impossible value, a sheet that is
old or made for another age, an unknown priority or an unknown age is said back to its sender as a warning and
goes to a person, and the safety items of that sheet count all the same. Refused is only what says nothing:
an instrument nobody knows, a day of birth that cannot be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final, Literal

from services.intake.domain import language_notes as languages
from services.intake.domain import priorities
from services.intake.domain.language_notes import Tag
from services.intake.domain.priorities import Meaning
from services.intake.domain.screening_notes import REFUSED, TO_MEND, Note, Sheet, readings_of
from services.intake.domain.screening_notes import notes as sheet_notes
from services.intake.domain.screening_notes import warnings as sheet_warnings
from shared.clinical import DIAGNOSES
from shared.instruments import Reading
from shared.vocabulary import EXPRESS_RED_FLAGS, Priority

OLDEST: Final = 130
EARLIEST_YEAR: Final = 1900
PLACEHOLDERS: Final = frozenset({date(1900, 1, 1), date(1901, 1, 1)})
"""What systems write where a day of birth is unknown."""
EPOCH: Final = date(1970, 1, 1)
"""The same, but also the birthday of many."""
NO_WORDS: Final[Mapping[str, Priority]] = MappingProxyType({})
PRIORITY: Final = "requested_priority"

Guardian = Literal["present", "absent", "not_needed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The parts of a filled-in form that this decision looks at. `guardian_present` is None without one;
    `age` is what is known of it already where the form does not ask; `no_words_to_read`: the sender asks that
    their notes be read, and there are none; `languages` are all that the form states anywhere."""

    birth_date: date | None = None
    age: int | None = None
    guardian_present: bool | None = None
    requested_priority: str | None = None
    cannot_wait: bool = False
    red_flags: tuple[str, ...] = ()
    diagnoses: tuple[str, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    no_words_to_read: bool = False
    languages: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """With `faults` nothing is taken. `as_of` is the day of this verdict. `because` names what put the
    referral on the express lane, `safety` those of them about which the sender is given advice at once.
    `not_understood` names the parts of the form that nobody could read, once for each value."""

    faults: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()
    as_of: date
    age: int | None = None
    priority: Priority = Priority.UNKNOWN
    guardian: Guardian = "not_needed"
    because: tuple[str, ...] = ()
    safety: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()

    @property
    def express(self) -> bool:
        return bool(self.because)


def accept(
    filled: Filled,
    *,
    age_of_majority: int,
    today: date,
    who_diagnosis_codes: bool = False,
    words: Mapping[str, Priority] = NO_WORDS,
) -> Verdict:
    """The verdict on a referral as it stands on `today`, a day where the client lives. The network may have
    ICD-10 codes of the WHO, and `words` of its own for a priority."""
    placeholder = filled.birth_date in PLACEHOLDERS
    age = None if placeholder or filled.birth_date is None else age_on(today, filled.birth_date)
    asked = priorities.meaning(filled.requested_priority, words)
    priority = asked.priority
    guardian = _guardian(age, filled.guardian_present, age_of_majority)
    readings = readings_of(filled.sheets, as_of=today, age=filled.age if age is None else age)
    signals = _diagnosis_signals(filled.diagnoses, who_diagnosis_codes)
    safety = (*_safety(filled.red_flags, readings), *signals)
    unread = () if who_diagnosis_codes else tuple(map(DIAGNOSES.needs_who_setting, filled.diagnoses))
    faults = (*_birth_faults(filled.birth_date, age, today), *sheet_notes(readings, REFUSED))
    return Verdict(
        faults=(*faults, *sheet_notes(readings, TO_MEND - REFUSED)) if faults else (),
        warnings=(
            *_priority_warnings(asked),
            *_birth_warnings(filled.birth_date),
            *(() if placeholder else _person_warnings(age, guardian, age_of_majority)),
            *sheet_warnings(filled.sheets, readings),
            *languages.warnings(filled.languages),
            *_words_warnings(filled),
            *_diagnosis_warnings(unread),
        ),
        as_of=today,
        age=age if age is not None and 0 <= age <= OLDEST else None,
        priority=priority,
        guardian=guardian,
        because=(
            *safety,
            *((f"priority.{priority}",) if priority in priorities.EXPRESS else ()),
            *(("referrer",) if filled.cannot_wait else ()),
        ),
        safety=safety,
        not_understood=(
            *(() if asked.understood else (PRIORITY,)),
            *(("birth_date",) if placeholder else ()),
            *languages.not_understood(filled.languages),
            *(("diagnosis",) * sum(unread)),
        ),
    )


def age_on(today: date, born: date) -> int:
    """Whole years. Who was born on 29 February has their birthday on 1 March of a common year, which keeps
    a minor a minor for the longer time; which day the law of the place counts is to be confirmed."""
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    return today.year - born.year - (not had_birthday)


def _birth_faults(born: date | None, age: int | None, today: date) -> tuple[Note, ...]:
    if born is None or age is None:
        return ()
    if (born - today).days > 1:  # a day ahead: it may already be tomorrow where the client was born
        return (Note("/client/birth_date", "This day is still to come.", "in_the_future"),)
    if born.year < EARLIEST_YEAR:
        what = f"This is before {EARLIEST_YEAR}. Leave the birth date out if it is not known."
        return (Note("/client/birth_date", what, "too_long_ago"),)
    if age > OLDEST:
        return (Note("/client/birth_date", f"This is more than {OLDEST} years ago.", "too_long_ago"),)
    return ()


def _birth_warnings(born: date | None) -> tuple[Note, ...]:
    if born in PLACEHOLDERS:
        what = (
            "Systems write this day where a birth date is unknown, so the age counts as unknown and a person "
            "will have to ask. If somebody was born on it, tell the clinician."
        )
        return (Note("/client/birth_date", what, "birth_date_placeholder"),)
    if born == EPOCH:
        what = "Some systems write this day where a birth date is unknown. It counts; check that it is right."
        return (Note("/client/birth_date", what, "birth_date_epoch"),)
    return ()


def _priority_warnings(asked: Meaning) -> tuple[Note, ...]:
    if asked.plain:
        return ()
    return (Note("/requested_priority", *_taken_for(asked)),)


def _taken_for(asked: Meaning) -> tuple[str, str]:
    """In a sentence, and by its code."""
    if not asked.given:
        what = (
            "No priority was given. It stays unknown, and a clinician decides how soon somebody must respond."
        )
        return what, "priority_unknown"
    if not asked.understood:
        known = ", ".join(each for each in Priority if each is not Priority.UNKNOWN)
        what = f"This is none of {known}, nor a word known for one of them. It stays unknown, and a clinician"
        return f"{what} looks at it as soon as at one that is urgent.", "priority_unknown"
    if asked.priority is Priority.UNKNOWN:
        what = "Taken for `soon`, which lies between urgent and routine. A clinician looks at it."
        return what, "priority_read"
    return f"Taken for `{asked.priority}`. Amend it if something else was meant.", "priority_read"


def _guardian(age: int | None, present: bool | None, age_of_majority: int) -> Guardian:
    if present is not None:
        return "present" if present else "absent"
    return "absent" if age is not None and age < age_of_majority else "not_needed"


def _person_warnings(age: int | None, guardian: Guardian, age_of_majority: int) -> tuple[Note, ...]:
    if age is None:
        what = "Without a birth date nobody knows whether this is a minor; a person will have to ask."
        return (Note("/client/birth_date", what, "age_unknown"),)
    if age < age_of_majority and guardian == "absent":
        what = "The client is a minor and no guardian takes part. A person will look at this."
        return (Note("/client/guardian", what, "guardian_absent"),)
    return ()


def _words_warnings(filled: Filled) -> tuple[Note, ...]:
    if not filled.no_words_to_read:
        return ()
    what = "You ask that your notes be read, and there are none. A clinician will look at the referral."
    return (Note("/read_notes", what, "no_words"),)


def _safety(red_flags: tuple[str, ...], readings: list[Reading]) -> tuple[str, ...]:
    """Each safety item on its own, whatever the totals say, and each observation that cannot wait."""
    items = [f"{fired.instrument}.{fired.item}" for reading in readings for fired in reading.fired]
    flags = [f"flag.{flag}" for flag in red_flags if flag in EXPRESS_RED_FLAGS]
    return tuple(dict.fromkeys((*items, *flags)))


def _diagnosis_signals(diagnoses: tuple[str, ...], who_codes: bool) -> tuple[str, ...]:
    """What the diagnoses say that cannot wait; a history of it can."""
    found = set().union(*(DIAGNOSES.of(code, who_codes=who_codes) for code in diagnoses))
    return tuple(f"diagnosis.{s.id}" for s in DIAGNOSES.signals.values() if s.express and s.id in found)


def _diagnosis_warnings(unread: tuple[bool, ...]) -> tuple[Note, ...]:
    what = (
        "This looks like an ICD-10 code of the WHO, and this network goes by ICD-10-CM. It is kept, and a "
        "clinician will ask what is meant. If it is about a danger now, say so with a red flag."
    )
    return tuple(
        Note(f"/diagnoses/{place}", what, "who_diagnosis")
        for place, is_unread in enumerate(unread)
        if is_unread
    )
