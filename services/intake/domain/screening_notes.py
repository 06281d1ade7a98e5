"""What is said back about answer sheets: which sheet, which item, what to do."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from shared.instruments import INSTRUMENTS, Answer, Circumstances, Problem, Reading, read
from shared.languages import spoken

REFUSED: Final = frozenset({"unknown_instrument", "not_an_answer"})
TO_MEND: Final = REFUSED | {"wrong_count", "out_of_range", "in_the_future", "total_differs"}
"""Named with whatever else is wrong when the form has to be sent again anyway."""
PLACES: Final = {
    "unknown_instrument": "/instrument",
    "wrong_age": "/instrument",
    "wrong_count": "/answers",
    "out_of_range": "/answers",
    "not_an_answer": "/answers",
    "total_differs": "/stated_total",
    "stale": "/taken_on",
    "in_the_future": "/taken_on",
}
"""Where on a sheet a problem of the whole sheet is."""


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
    language: str | None = None


def to_mend(sheets: tuple[Sheet, ...], *, today: date) -> tuple[Note, ...]:
    """What is wrong with answer sheets that must be sent again, each named by the place of its item."""
    return notes(readings_of(sheets, as_of=today, age=None), TO_MEND)


def readings_of(sheets: tuple[Sheet, ...], *, as_of: date, age: int | None) -> list[Reading]:
    return [
        read(
            sheet.instrument,
            sheet.answers,
            stated_total=sheet.stated_total,
            circumstances=Circumstances(taken_on=sheet.taken_on, as_of=as_of, age=age),
        )
        for sheet in sheets
    ]


def notes(readings: list[Reading], codes: Collection[str]) -> tuple[Note, ...]:
    return tuple(
        Note(f"/screenings/{place}{_within(reading, problem)}", problem.text, problem.code)
        for place, reading in enumerate(readings)
        for problem in reading.problems
        if problem.code in codes
    )


def _within(reading: Reading, problem: Problem) -> str:
    if problem.item is None:
        return PLACES[problem.code]
    return _place(reading.instrument, problem.item)


def _place(instrument: str, item: str) -> str:
    keys = [each.key for each in INSTRUMENTS[instrument].items]
    return f"/answers/{keys.index(item)}"


def warnings(sheets: tuple[Sheet, ...], readings: list[Reading]) -> tuple[Note, ...]:
    found: list[Note] = []
    for place, (sheet, reading) in enumerate(zip(sheets, readings, strict=True)):
        where = f"/screenings/{place}"
        found += _left_open(where, reading)
        found += _translated(where, sheet)
    return (*found, *notes(readings, frozenset(PLACES) - REFUSED))


def _translated(where: str, sheet: Sheet) -> Iterator[Note]:
    instrument = INSTRUMENTS.get(sheet.instrument)
    language = spoken(sheet.language or "")
    if instrument and language and language not in map(spoken, instrument.languages):
        what = (
            f"{instrument.title} is known here in {' and '.join(instrument.languages)} only. The answers "
            "count; make sure that a validated translation was used."
        )
        yield Note(f"{where}/language", what, "other_language")


def _left_open(where: str, reading: Reading) -> Iterator[Note]:
    title = INSTRUMENTS[reading.instrument].title if reading.known else ""
    if reading.not_assessed:
        items = ", ".join(reading.not_assessed)
        what = f"{title}: not assessed: {items}. That is not a zero; a clinician will look. Ask, and send it."
        yield Note(f"{where}/answers", what, "safety_not_assessed")
    for item in reading.contradictions:
        what = (
            f"{title} {item} is answered with yes although the question before it was answered with no. The "
            "yes counts; a clinician will look. Check both answers."
        )
        yield Note(f"{where}{_place(reading.instrument, item)}", what, "contradicts_itself")
    if reading.too_open:
        items = ", ".join(reading.missing)
        what = f"{title}: too much is open for a result ({items}). A clinician will look; ask, and send it."
        yield Note(f"{where}/answers", what, "not_scored")
