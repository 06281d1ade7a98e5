"""What a driver's error means for the message in hand."""

import asyncpg
import pytest

from shared.db.postgres import fate
from shared.errors import Permanent, Transient


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (asyncpg.InternalClientError("cut off"), Transient),  # Postgres killed in the middle of an answer
        (asyncpg.ConnectionDoesNotExistError("gone"), Transient),
        (ConnectionRefusedError(), Transient),
        (asyncpg.DeadlockDetectedError("deadlock"), Transient),
        (asyncpg.InvalidTextRepresentationError("not a uuid"), Permanent),
        (asyncpg.UndefinedTableError("no table"), None),  # a bug
    ],
)
def test_an_error_of_the_driver_has_a_fate(error: Exception, meaning: type[Exception] | None) -> None:
    assert type(fate(error)) is (meaning or type(None))
