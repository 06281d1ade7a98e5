"""Days and moments as callers write them: ISO 8601 in full, as RFC 3339 narrows it, and nothing else.

Pydantic and the standard library also take numbers, strings of digits (as seconds since 1970), week dates and
the basic format. A `0` where a date is unknown would then be a day in 1970.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def day(given: object) -> date:
    """Raises a `ValueError` that quotes nothing."""
    try:
        if type(given) is date:
            return given
        if isinstance(given, str) and _DAY.fullmatch(given):
            return date.fromisoformat(given)
    except ValueError:
        pass
    raise PydanticCustomError("not_a_day", "Takes a day that exists, as YYYY-MM-DD, such as 2000-07-09.")


def moment(given: object) -> datetime:
    """Raises a `ValueError` that quotes nothing."""
    try:
        if isinstance(given, datetime) and given.tzinfo:
            return given
        if isinstance(given, str) and _MOMENT.fullmatch(given):
            found = datetime.fromisoformat(given.upper())
            found.astimezone(UTC)
            return found
    except (ValueError, OverflowError):
        pass
    raise PydanticCustomError(
        "not_a_moment",
        "Takes a time with its offset, such as 2026-03-02T17:00:00Z or 2026-03-02T12:00:00-05:00; "
        "in a URL, + is written %2B.",
    )


StrictDate = Annotated[date, BeforeValidator(day)]
StrictMoment = Annotated[AwareDatetime, BeforeValidator(moment)]
