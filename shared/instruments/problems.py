"""What can be wrong with an answer sheet, in sentences that say what to do. They quote nobody's words.

None of it takes an answer away: what can be read of the sheet counts, its safety items above all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from shared.instruments.sheet import UNANSWERED, Answer, Instrument, Item

ProblemCode = Literal[
    "unknown_instrument",
    "wrong_count",
    "out_of_range",
    "not_an_answer",
    "total_differs",
    "wrong_age",
    "stale",
    "in_the_future",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the sheet; `item` is None when it concerns the whole sheet."""

    code: ProblemCode
    item: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """When a sheet was filled in and when it was taken in, and by somebody how old; None is not known."""

    taken_on: date | None = None
    as_of: date | None = None
    age: int | None = None


NOT_SAID: Final = Circumstances()


def unknown_instrument(known: Mapping[str, Instrument]) -> Problem:
    names = ", ".join(sorted(known))
    return Problem("unknown_instrument", None, f"This instrument is not known. Known are: {names}.")


def problems(
    instrument: Instrument,
    answers: tuple[Answer, ...],
    circumstances: Circumstances,
    *,
    given: int,
    missing: tuple[str, ...],
    stated: int | None,
) -> tuple[Problem, ...]:
    """All of them at once; `given` and `missing` are what was read of the scored items."""
    counted = _count(instrument, answers)
    return (
        *counted,
        *(p for i, a in zip(instrument.items, answers, strict=False) for p in _answer(instrument, i, a)),
        *(() if counted or stated is None else _total(instrument, given, missing, stated)),
        *_age(instrument, circumstances.age),
        *_date(instrument, circumstances),
    )


def count_fits(instrument: Instrument, answers: tuple[Answer, ...]) -> bool:
    return instrument.fewest_answers <= len(answers) <= len(instrument.items)


def _count(instrument: Instrument, answers: tuple[Answer, ...]) -> tuple[Problem, ...]:
    if count_fits(instrument, answers):
        return ()
    fewest, most = instrument.fewest_answers, len(instrument.items)
    expected = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    text = (
        f"{instrument.title} has {expected} answers in order; {len(answers)} were given, so nobody knows "
        "which is whose. Positive safety answers count and no total is made. Send the whole sheet."
    )
    return (Problem("wrong_count", None, text),)


def _answer(instrument: Instrument, item: Item, answer: object) -> Iterator[Problem]:
    if answer in UNANSWERED:
        return
    takes = f"it takes {item.low} to {item.high}"
    if not isinstance(answer, int):
        text = f"{instrument.title} {item.key} is no answer; {takes}, refused, unknown or nothing."
        yield Problem("not_an_answer", item.key, f"{text} It counts as not answered; send it corrected.")
    elif not item.takes(answer):
        text = f"{instrument.title} {item.key} is {answer}; {takes}."
        yield Problem("out_of_range", item.key, f"{text} It counts as not answered; send it corrected.")


def _total(instrument: Instrument, given: int, missing: tuple[str, ...], stated: int) -> Iterator[Problem]:
    """Items left open may make up the difference, but not more than they can score."""
    if instrument.max_total is None:
        text = f"{instrument.title} has no total, so the one stated says nothing. Leave it out."
        yield Problem("total_differs", None, text)
        return
    most = given + sum(item.high for item in instrument.items if item.scored and item.key in missing)
    if not given <= stated <= most:
        sums = f"{given}" if not missing else f"{given} to {most}, with the items left open"
        text = f"{instrument.title}: the stated total is {stated}; the items add up to {sums}."
        text += " The items count; check the sheet."
        yield Problem("total_differs", None, text)


def _age(instrument: Instrument, age: int | None) -> Iterator[Problem]:
    youngest, oldest = instrument.ages
    if age is None or ((youngest or 0) <= age and (oldest is None or age <= oldest)):
        return
    ages = f"{youngest} to {oldest}" if oldest is not None else f"{youngest} or older"
    text = (
        f"{instrument.title} is made for people aged {ages}. Its answers count and a person looks; "
        "use the form for this age, or correct the birth date."
    )
    yield Problem("wrong_age", None, text)


def _date(instrument: Instrument, circumstances: Circumstances) -> Iterator[Problem]:
    """A day ahead is no fault: it may already be tomorrow where the sheet was taken."""
    taken_on, as_of, counts = circumstances.taken_on, circumstances.as_of, instrument.counts_days
    if taken_on is None or as_of is None:
        return
    days = (as_of - taken_on).days
    if days < -1:
        text = f"The day of this {instrument.title} is still to come. Its answers count; correct the day."
        yield Problem("in_the_future", None, text)
    if counts is not None and days > counts:
        text = (
            f"This {instrument.title} is {days} days old; after {counts} days it no longer says how somebody "
            "is now. Positive answers count all the same; ask again and send the new sheet."
        )
        yield Problem("stale", None, text)
