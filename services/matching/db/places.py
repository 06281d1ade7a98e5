"""Places of therapists, and vacancies: therapists who may now help somebody on the waitlist.

A place is taken by a conditional write under the therapist's row lock, and rows are always locked in the
order of ids, after those of referrals: two matchers cannot both have the last place, nor wait for each other.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.db.postgres import Connection

LOCK: Final = """
    select id, places_total - places_taken as free from therapist
    where id = any($1::uuid[]) and (active or $2) order by id for update
"""

TAKE: Final = """
    update therapist
    set places_taken = places_taken + wanted.places, changed = this_change()
    from unnest($1::uuid[], $2::int[]) as wanted (id, places)
    where therapist.id = wanted.id and places_taken + wanted.places <= places_total
    returning therapist.id
"""

GIVE_BACK: Final = """
    update therapist
    set places_taken = places_taken - freed.places,
        places_ceiling = greatest(places_total, places_taken - freed.places), changed = this_change()
    from unnest($1::uuid[], $2::int[]) as freed (id, places)
    where therapist.id = freed.id
"""

COUNT: Final = """
    select coalesce(sum(greatest(0, places_total - places_taken)), 0)::float8 as open,
           coalesce(sum(places_taken), 0)::float8 as taken
    from therapist where active
"""

ADD_VACANCIES: Final = """
    insert into vacancy (therapist_id, entry) select therapist_id, $2 from unnest($1::uuid[]) as therapist_id
"""

VACANCIES: Final = "select id, therapist_id, entry from vacancy order by id limit $1"

DELETE_VACANCIES: Final = "delete from vacancy where id = any($1::bigint[])"


@dataclass(frozen=True, slots=True)
class Vacancies:
    """`entry`: an entry changed, so that clients without an eligible therapist may be helped too."""

    ids: tuple[int, ...]
    therapist_ids: tuple[UUID, ...]
    entry: bool


async def free(connection: Connection, therapist_ids: Iterable[UUID]) -> dict[UUID, int]:
    """The number of places each of these still has, locked until the transaction ends."""
    rows = await connection.fetch(LOCK, sorted(set(therapist_ids)), False)
    return {row["id"]: row["free"] for row in rows}


async def take(connection: Connection, wanted: Mapping[UUID, int]) -> None:
    """Up to what `free` has just returned; that they are still there is checked again."""
    if not wanted:
        return
    taken = await connection.fetch(TAKE, list(wanted), list(wanted.values()))
    if len(taken) != len(wanted):
        raise AssertionError("a place that was locked has gone")


async def give_back(connection: Connection, therapist_ids: Iterable[UUID]) -> None:
    """One place for each mention; each is a vacancy."""
    freed = Counter(therapist_ids)
    if not freed:
        return
    await connection.fetch(LOCK, sorted(freed), True)
    await connection.execute(GIVE_BACK, list(freed), list(freed.values()))
    await add_vacancies(connection, freed, entry=False)


async def add_vacancies(connection: Connection, therapist_ids: Iterable[UUID], *, entry: bool) -> None:
    """Note that these may now help somebody: a place came free, or (`entry`) their entry changed."""
    await connection.execute(ADD_VACANCIES, sorted(set(therapist_ids)), entry)


async def count(connection: Connection) -> tuple[float, float]:
    """Open and taken, of therapists who take clients."""
    (row,) = await connection.fetch(COUNT)
    return row["open"], row["taken"]


async def vacancies(connection: Connection, *, limit: int) -> Vacancies | None:
    rows = await connection.fetch(VACANCIES, limit)
    if not rows:
        return None
    therapists = dict.fromkeys(row["therapist_id"] for row in rows)
    return Vacancies(tuple(row["id"] for row in rows), tuple(therapists), any(row["entry"] for row in rows))


async def delete_vacancies(connection: Connection, ids: Sequence[int]) -> None:
    """Only after all of the waitlist that they may help has been tried."""
    await connection.execute(DELETE_VACANCIES, ids)
