"""The SQL of vacancies: therapists who may now help somebody who waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.db.postgres import Connection

LOAD: Final = "select id, therapist_id, entry from vacancy order by id limit $1"

FORGET: Final = "delete from vacancy where id = any($1::bigint[])"


@dataclass(frozen=True, slots=True)
class Vacancies:
    """`entry`: a therapist's entry changed, so that even those whom nobody could see may be helped."""

    ids: tuple[int, ...]
    therapist_ids: tuple[UUID, ...]
    entry: bool


async def load(connection: Connection, *, limit: int) -> Vacancies | None:
    rows = await connection.fetch(LOAD, limit)
    if not rows:
        return None
    therapists = dict.fromkeys(row["therapist_id"] for row in rows)
    return Vacancies(tuple(row["id"] for row in rows), tuple(therapists), any(row["entry"] for row in rows))


async def forget(connection: Connection, ids: Sequence[int]) -> None:
    """Only after everyone who waits has been looked at."""
    await connection.execute(FORGET, ids)
