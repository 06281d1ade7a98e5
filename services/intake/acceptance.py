"""Can we take it? And does somebody have to look before anybody else's turn?

A referral is not refused for what is missing: an unanswered item, an unknown priority or an unknown age is
said back to its sender as a warning and goes to a person. Refused is only what cannot be true, item by item.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from shared.instruments import INSTRUMENTS, Answer, Problem, Reading, read
from shared.vocabulary import EXPRESS_RED_FLAGS, Priority

OLDEST: Final = 130
EXPRESS_PRIORITIES: Final = frozenset({Priority.STAT, Priority.ASAP})

Guardian = Literal["present", "absent", "not_needed"]


@dataclass(frozen=True, slots=True)
class Note:
    """A fault to mend or a warning to know: `where` is a JSON pointer. Quotes nobody's words."""

    where: str
    what: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One answer sheet as it was sent."""

    instrument: str
    taken_on: date
    answers: tuple[Answer, ...]
    stated_total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The parts of a filled-in form that this decision looks at. `guardian_present` is None without one;
    `no_words_to_read`: the sender asks that their notes be read, and there are none."""

    birth_date: date | None = None
    guardian_present: bool | None = None
    requested_priority: str | None = None
    cannot_wait: bool = False
    red_flags: tuple[str, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    no_words_to_read: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """With `faults` nothing is taken. `because` names what put the referral on the express lane, `safety`
    those of them about which the sender is given advice at once."""

    faults: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()
    age: int | None = None
    priority: Priority = Priority.UNKNOWN
    guardian: Guardian = "not_needed"
    because: tuple[str, ...] = ()
    safety: tuple[str, ...] = ()

    @property
    def express(self) -> bool:
        return bool(self.because)


def accept(filled: Filled, *, age_of_majority: int, now: datetime) -> Verdict:
    """The verdict on a referral as it stands at `now`."""
    age = _age(filled.birth_date, now)
    priority = _priority(filled.requested_priority)
    guardian = _guardian(age, filled.guardian_present, age_of_majority)
    readings = _read(filled.sheets)
    safety = _safety(filled.red_flags, readings)
    return Verdict(
        faults=(*_birth_faults(filled.birth_date, age, now), *_sheet_faults(filled.sheets, readings, now)),
        warnings=(
            *_priority_warnings(filled.requested_priority, priority),
            *_person_warnings(age, guardian, age_of_majority),
            *_sheet_warnings(readings),
            *_words_warnings(filled),
        ),
        age=age if age is not None and 0 <= age <= OLDEST else None,
        priority=priority,
        guardian=guardian,
        because=(
            *safety,
            *((f"priority.{priority}",) if priority in EXPRESS_PRIORITIES else ()),
            *(("referrer",) if filled.cannot_wait else ()),
        ),
        safety=safety,
    )


def sheet_faults(sheets: tuple[Sheet, ...], *, now: datetime) -> tuple[Note, ...]:
    """What is wrong with answer sheets, each named by the place of its item."""
    return _sheet_faults(sheets, _read(sheets), now)


def _read(sheets: tuple[Sheet, ...]) -> list[Reading]:
    return [read(sheet.instrument, sheet.answers, stated_total=sheet.stated_total) for sheet in sheets]


def _sheet_faults(sheets: tuple[Sheet, ...], readings: list[Reading], now: datetime) -> tuple[Note, ...]:
    found: list[Note] = []
    for place, (sheet, reading) in enumerate(zip(sheets, readings, strict=True)):
        where = f"/screenings/{place}"
        if (sheet.taken_on - now.date()).days > 1:  # it may already be tomorrow where the sheet was taken
            found.append(Note(f"{where}/taken_on", "This day is still to come.", "in_the_future"))
        for problem in reading.problems:
            if problem.code != "total_differs":
                found.append(Note(where + _within(sheet.instrument, problem), problem.text, problem.code))
    return tuple(found)


def _within(instrument: str, problem: Problem) -> str:
    if problem.code == "unknown_instrument":
        return "/instrument"
    if problem.item is None:
        return "/answers"
    keys = [item.key for item in INSTRUMENTS[instrument].items]
    return f"/answers/{keys.index(problem.item)}"


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


def _priority(requested: str | None) -> Priority:
    word = (requested or "").strip().lower()
    return Priority(word) if word in set(Priority) else Priority.UNKNOWN


def _priority_warnings(requested: str | None, priority: Priority) -> tuple[Note, ...]:
    if priority is not Priority.UNKNOWN:
        return ()
    known = ", ".join(each for each in Priority if each is not Priority.UNKNOWN)
    said = "No priority was given" if not (requested or "").strip() else f"This is none of {known}"
    what = f"{said}. It stays unknown, and a clinician decides how soon somebody must respond."
    return (Note("/requested_priority", what, "priority_unknown"),)


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


def _sheet_warnings(readings: list[Reading]) -> tuple[Note, ...]:
    found: list[Note] = []
    for place, reading in enumerate(readings):
        where = f"/screenings/{place}"
        if reading.not_assessed:
            items = ", ".join(reading.not_assessed)
            what = f"Not assessed: {items}. That is not a zero; a clinician will look."
            found.append(Note(f"{where}/answers", what, "safety_not_assessed"))
        for problem in reading.problems:
            if problem.code == "total_differs":
                found.append(Note(f"{where}/stated_total", problem.text, problem.code))
    return tuple(found)
