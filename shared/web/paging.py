"""Paging by cursor, the same in every API: `limit` and `cursor` ask, `next_cursor` goes on until it is null.

The list stands under the plural of what it lists. A cursor is the sort key of the last row of a page, as JSON
in base64url; it holds nothing that the page did not show.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Query
from pydantic import TypeAdapter
from pydantic_core import to_json

from shared.web.problems import Fault, Problem

Row = TypeVar("Row")
Place = TypeVar("Place")

MOST: int = 500


@dataclass(frozen=True, slots=True)
class Page:
    """What a caller asked for. Read `limit + 1` rows after `place(...)`, then give them to `cut`."""

    limit: int
    cursor: str | None

    def place(self, shape: TypeAdapter[Place]) -> Place | None:
        """The sort key to go on after; None for the first page. Raises `Problem` 422 for any other cursor."""
        if self.cursor is None:
            return None
        try:
            padded = self.cursor + "=" * (-len(self.cursor) % 4)
            return shape.validate_json(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (ValueError, binascii.Error, RecursionError):
            fault = Fault("query.cursor", "Use `next_cursor` of the page before, unchanged.", "wrong_cursor")
            raise Problem(422, "invalid", "Nothing was read.", faults=[fault]) from None

    def cut(
        self, rows: Sequence[Row], sort_key: Callable[[Row], tuple[object, ...]]
    ) -> tuple[list[Row], str | None]:
        """The rows of this page, and the cursor of the next one where there are more rows."""
        shown = list(rows[: self.limit])
        if len(rows) <= self.limit:
            return shown, None
        return shown, base64.urlsafe_b64encode(to_json(sort_key(shown[-1]))).decode().rstrip("=")


def _page(
    limit: Annotated[int, Query(ge=1, le=MOST, description="At most this many.")] = 100,
    cursor: Annotated[
        str | None, Query(max_length=500, description="`next_cursor` of the page before.")
    ] = None,
    after: Annotated[str | None, Query(include_in_schema=False)] = None,
) -> Page:
    """`after` was the name before: a caller that still sends it would read the first page for ever."""
    if after is not None:
        fault = Fault("query.after", "Send `next_cursor` of the page before as `cursor`.", "renamed")
        raise Problem(422, "invalid", "Nothing was read.", faults=[fault])
    return Page(limit, cursor)


PageQuery = Annotated[Page, Depends(_page)]
