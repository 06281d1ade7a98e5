"""Cursors: what was given out is read again, and nothing else is."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shared.web.paging import Page
from shared.web.problems import Problem

SHAPE: TypeAdapter[tuple[int, datetime, UUID]] = TypeAdapter(tuple[int, datetime, UUID])
ROW = (3, datetime(2026, 3, 3, 14, 0, 0, 123456, UTC), UUID(int=7))


@given(st.integers(0, 6), st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_is_the_sort_key_of_the_last_row_shown(level: int, at: datetime, id: UUID) -> None:
    row = (level, at, id)
    shown, cursor = Page(1, None).cut([row, row], lambda row: row)
    assert shown == [row]
    assert Page(1, cursor).place(SHAPE) == row


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_last_page_has_no_cursor(count: int) -> None:
    assert Page(2, None).cut([ROW] * count, lambda row: row) == ([ROW] * count, None)


@given(st.text(max_size=60))
def test_any_other_cursor_is_named_and_nothing_is_read(cursor: str) -> None:
    with pytest.raises(Problem) as caught:
        Page(1, cursor).place(SHAPE)
    assert caught.value.status == 422
    assert [fault.where for fault in caught.value.faults] == ["query.cursor"]
