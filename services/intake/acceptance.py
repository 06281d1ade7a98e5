"""Can we take it? And does somebody have to look before anybody else's turn?

A referral is not refused for what is missing or odd: an unanswered item, an impossible value, a sheet that is
old or made for another age, an unknown priority or an unknown age is said back to its sender as a warning and
goes to a person, and the safety items of that sheet count all the same. Refused is only what says nothing:
an instrument nobody knows, a day of birth that cannot be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, Literal

from services.intake import priorities
from services.intake.priorities import Meaning
from services.intake.sheets import REFUSED, TO_MEND, Note, Sheet, readings_of
from services.intake.sheets import notes as sheet_notes
from services.intake.sheets import warnings as sheet_warnings
from shared.instruments import Reading
from shared.vocabulary import EXPRESS_RED_FLAGS, Priority

OLDEST: Final = 130
NO_WORDS: Final[Mapping[str, Priority]] = MappingProxyType({})

Guardian = Literal["present", "absent", "not_needed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The parts of a filled-in form that this decision looks at. `guardian_present` is None without one;
    `age` is what is known of it already where the form does not ask; `no_words_to_read`: the sender asks that
    their notes be read, and there are none."""

    birth_date: date | None = None
    age: int | None = None
    guardian_present: bool | None = None
    requested_priority: str | None = None
    cannot_wait: bool = False
    red_flags: tuple[str, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    no_words_to_read: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """With `faults` nothing is taken. `as_of` is the day of this verdict. `because` names what put the
    referral on the express lane, `safety` those of them about which the sender is given advice at once.
    `not_understood` names the parts of the form that nobody could read."""

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
    filled: Filled, *, age_of_majority: int, now: datetime, words: Mapping[str, Priority] = NO_WORDS
) -> Verdict:
    """The verdict on a referral as it stands at `now`. `words` are the network's own for a priority."""
    age = _age(filled.birth_date, now)
    asked = priorities.meaning(filled.requested_priority, words)
    priority = asked.priority
    guardian = _guardian(age, filled.guardian_present, age_of_majority)
    readings = readings_of(filled.sheets, as_of=now.date(), age=filled.age if age is None else age)
    safety = _safety(filled.red_flags, readings)
    faults = (*_birth_faults(filled.birth_date, age, now), *sheet_notes(readings, REFUSED))
    return Verdict(
        faults=(*faults, *sheet_notes(readings, TO_MEND - REFUSED)) if faults else (),
        warnings=(
            *_priority_warnings(asked),
            *_person_warnings(age, guardian, age_of_majority),
            *sheet_warnings(filled.sheets, readings),
            *_words_warnings(filled),
        ),
        as_of=now.date(),
        age=age if age is not None and 0 <= age <= OLDEST else None,
        priority=priority,
        guardian=guardian,
        because=(
            *safety,
            *((f"priority.{priority}",) if priority in priorities.EXPRESS else ()),
            *(("referrer",) if filled.cannot_wait else ()),
        ),
        safety=safety,
        not_understood=() if asked.understood else ("requested_priority",),
    )


def _age(born: date | None, now: datetime) -> int | None:
    """Whole years."""
    if born is None:
        return None
    had_birthday = (now.month, now.day) >= (born.month, born.day)
    return now.year - born.year - (not had_birthday)


def _birth_faults(born: date | None, age: int | None, now: datetime) -> tuple[Note, ...]:
    if born is None or age is None:
        return ()
    if (born - now.date()).days > 1:
        return (Note("/client/birth_date", "This day is still to come.", "in_the_future"),)
    if age > OLDEST:
        return (Note("/client/birth_date", f"This is more than {OLDEST} years ago.", "too_long_ago"),)
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
