"""What a referrer reads about an answer sheet, word for word: what is wrong, that it counts, what to do."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from shared.instruments import Answer, Circumstances, Problem, read

CALM = (0,) * 9
DAY = date(2026, 6, 1)


def odd(
    key: str, answers: tuple[Answer, ...], *, stated_total: int | None = None, **circumstances: Any
) -> list[Problem]:
    found = read(key, answers, stated_total=stated_total, circumstances=Circumstances(**circumstances))
    return list(found.problems)


@pytest.mark.parametrize(
    ("problems", "expected"),
    [
        (
            lambda: odd("phq9", CALM[:8]),
            Problem(
                "wrong_count",
                None,
                "PHQ-9 has 9 to 10 answers in order; 8 were given, so nobody knows which is whose. "
                "Positive safety answers count and no total is made. Send the whole sheet.",
            ),
        ),
        (
            lambda: odd("phq2", (0,)),
            Problem(
                "wrong_count",
                None,
                "PHQ-2 has 2 answers in order; 1 were given, so nobody knows which is whose. Positive"
                " safety answers count and no total is made. Send the whole sheet.",
            ),
        ),
        (
            lambda: odd("phq9", (*CALM[:8], 4)),
            Problem(
                "out_of_range",
                "item9",
                "PHQ-9 item9 is 4; it takes 0 to 3. It counts as not answered; send it corrected.",
            ),
        ),
        (
            lambda: odd("phq9", ("often", *CALM[:8])),  # type: ignore[arg-type]  # what the wire would have refused
            Problem(
                "not_an_answer",
                "item1",
                "PHQ-9 item1 is no answer; it takes 0 to 3, refused, unknown or nothing. It counts as"
                " not answered; send it corrected.",
            ),
        ),
        (
            lambda: odd("phq9", CALM, stated_total=7),
            Problem(
                "total_differs",
                None,
                "PHQ-9: the stated total is 7; the items add up to 0. The items count; check the sheet.",
            ),
        ),
        (
            lambda: odd("phq9", (2, None, *CALM[:7]), stated_total=7),
            Problem(
                "total_differs",
                None,
                "PHQ-9: the stated total is 7; the items add up to 2 to 5, with the items left open. "
                "The items count; check the sheet.",
            ),
        ),
        (
            lambda: odd("mdq", (0,) * 15, stated_total=0),
            Problem(
                "total_differs",
                None,
                "MDQ has no total, so the one stated says nothing. Leave it out.",
            ),
        ),
        (
            lambda: odd("phqa", (*CALM, 0, 0, 0, 0), age=18),
            Problem(
                "wrong_age",
                None,
                "PHQ-A is made for people aged 11 to 17. Its answers count and a person looks; use "
                "the form for this age, or correct the birth date.",
            ),
        ),
        (
            lambda: odd("core10", (0, 4, 4, *[0] * 7), age=16),
            Problem(
                "wrong_age",
                None,
                "CORE-10 is made for people aged 17 or older. Its answers count and a person looks; "
                "use the form for this age, or correct the birth date.",
            ),
        ),
        (
            lambda: odd("phq9", CALM, taken_on=date(2026, 6, 3), as_of=DAY),
            Problem(
                "in_the_future",
                None,
                "The day of this PHQ-9 is still to come. Its answers count; correct the day.",
            ),
        ),
        (
            lambda: odd("phq9", CALM, taken_on=date(2026, 5, 1), as_of=DAY),
            Problem(
                "stale",
                None,
                "This PHQ-9 is 31 days old; after 30 days it no longer says how somebody is now. "
                "Positive answers count all the same; ask again and send the new sheet.",
            ),
        ),
        (
            lambda: odd("horoscope", (1,)),
            Problem(
                "unknown_instrument",
                None,
                "This instrument is not known. Known are: asq, auditc, core10, cssrs, dast10, epds, "
                "gad7, mdq, pcl5, pcptsd5, phq2, phq9, phqa, whodas12.",
            ),
        ),
    ],
)
def test_what_a_referrer_reads(problems: Callable[[], list[Problem]], expected: Problem) -> None:
    assert problems() == [expected]


@pytest.mark.parametrize(
    "circumstances",
    [
        {},
        {"taken_on": date(1990, 1, 1)},  # without the day on which it came in nobody knows how old it is
        {"as_of": DAY},
        {"taken_on": date(2026, 6, 2), "as_of": DAY},  # it may already be tomorrow there
        {"taken_on": date(2026, 5, 2), "as_of": DAY},
        {"age": 12},
        {"age": 130},
    ],
)
def test_what_is_not_known_or_just_in_time_is_no_problem(circumstances: dict[str, Any]) -> None:
    assert odd("phq9", CALM, **circumstances) == []


def test_an_instrument_for_all_ages_takes_all_ages() -> None:
    assert odd("epds", (0,) * 10, age=0) == []
    assert odd("epds", (0,) * 10, age=130) == []


def test_every_impossible_answer_is_named_even_in_a_sheet_that_is_too_long() -> None:
    found = odd("phq9", (9, *[0] * 8, 9, 9))
    assert [(each.code, each.item) for each in found] == [
        ("wrong_count", None),
        ("out_of_range", "item1"),
        ("out_of_range", "difficulty"),
    ]
