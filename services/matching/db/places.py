"""Taking and giving back places. A place is taken by a conditional write under the therapist's row lock,
and locks are always taken in the order of ids, after those of referrals: two matchers cannot both have the
last place, nor wait for each other."""

from collections import Counter
from collections.abc import Iterable, Mapping
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

VACANCIES: Final = """
    insert into vacancy (therapist_id, entry) select therapist_id, $2 from unnest($1::uuid[]) as therapist_id
"""


async def free(connection: Connection, therapist_ids: Iterable[UUID]) -> dict[UUID, int]:
    """How many places each of these still has, held so until the transaction ends."""
    rows = await connection.fetch(LOCK, sorted(set(therapist_ids)), False)
    return {row["id"]: row["free"] for row in rows}


async def take(connection: Connection, wanted: Mapping[UUID, int]) -> None:
    """As many as `free` has just said there are; that they are still there is checked again."""
    if not wanted:
        return
    taken = await connection.fetch(TAKE, list(wanted), list(wanted.values()))
    if len(taken) != len(wanted):
        raise AssertionError("a place that was locked has gone")


async def give_back(connection: Connection, therapist_ids: Iterable[UUID]) -> None:
    """One place for each mention; whoever waits for one is to be looked at."""
    freed = Counter(therapist_ids)
    if not freed:
        return
    await connection.fetch(LOCK, sorted(freed), True)
    await connection.execute(GIVE_BACK, list(freed), list(freed.values()))
    await vacancies(connection, freed, entry=False)


async def vacancies(connection: Connection, therapist_ids: Iterable[UUID], *, entry: bool) -> None:
    """Note that these may now help somebody: a place came free, or (`entry`) their entry changed."""
    await connection.execute(VACANCIES, sorted(set(therapist_ids)), entry)


async def count(connection: Connection) -> tuple[float, float]:
    """Open and taken, of therapists who take clients."""
    (row,) = await connection.fetch(COUNT)
    return row["open"], row["taken"]
