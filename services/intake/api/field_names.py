"""Which names of fields may be told back."""

import re
from typing import Final

_FIELD: Final = re.compile(r"^[A-Za-z_][A-Za-z0-9_.\-]{0,40}$")


def nameable(part: object) -> object:
    """A field's name is told back; a sentence that stands where a field's name should be is not."""
    return part if isinstance(part, int) or _FIELD.match(str(part)) else "(unreadable name)"
