"""Answer sheets, short to write: a value, "refused", "unknown", or None where nothing was ticked."""

from datetime import date, timedelta
from typing import Any, Final

Json = dict[str, Any]
Answer = int | str | None

DAY: Final = date(2026, 3, 2)
"""The day on which all of it takes place. Ages are counted to it, sheets lie before it."""


def phq9(*answers: Answer, **more: Any) -> Json:
    """Item 9 asks about thoughts of death or self-harm; a tenth answer is about difficulty and not scored."""
    return _sheet("phq9", answers, **more)


def gad7(*answers: Answer, **more: Any) -> Json:
    return _sheet("gad7", answers, **more)


def phqa(
    *answers: Answer, low_year: Answer = 0, difficulty: Answer = 0, serious: Answer = 0, attempt: Answer = 0
) -> Json:
    """The form for 11 to 17: nine items and four more, of which the last two ask about safety."""
    return _sheet("phqa", (*answers, low_year, difficulty, serious, attempt))


def cssrs(q1: Answer, q2: Answer, *deeper: Answer, q6: Answer = 0, recent: Answer = None) -> Json:
    """Questions 3 to 5 are asked only after a yes to 2, 6b (`recent`) only after a yes to 6."""
    three_to_five = deeper or (None, None, None)
    return _sheet("cssrs", (q1, q2, *three_to_five, q6, *((recent,) if q6 == 1 else ())))


def _sheet(instrument: str, answers: tuple[Answer, ...], *, days_ago: int = 1, **more: Any) -> Json:
    taken_on = (DAY - timedelta(days=days_ago)).isoformat()
    return {"instrument": instrument, "taken_on": taken_on, "answers": list(answers), **more}


SAFE: Final = cssrs(0, 0)
"""A C-SSRS screener answered with no throughout."""
