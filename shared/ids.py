"""Identifiers, made in Python so that a row and its announcement share one before either is written."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils import compat


def new_id() -> UUID:
    """A UUIDv7: unique, and later ones of the same process sort after earlier ones."""
    return compat.uuid7()


def now() -> datetime:
    """The present moment in UTC. Decisions never call this; they are given it."""
    return datetime.now(UTC)
