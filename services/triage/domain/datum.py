"""What a rule fired on."""

from datetime import date
from typing import NamedTuple


class Datum(NamedTuple):
    """What a rule fired on, such as `phq9.item9=2`, and the day of the sheet. Never a person's words."""

    text: str
    on: date | None = None
