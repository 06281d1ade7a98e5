"""The SQL of the roster: therapists' entries and the centres of areas."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from services.matching.db.json_columns import entry_json, entry_of
from services.matching.domain.profiles import Point
from services.matching.domain.therapist_entry import StoredTherapist
from shared.db.postgres import Connection, Record

LOAD: Final = """
    select id, version, name, region, active, entry, places_total, places_taken
    from therapist where id = any($1::uuid[]) order by id
"""

LOAD_TO_CHANGE: Final = LOAD + " for update"

LIST: Final = """
    select id, version, name, region, active, entry, places_total, places_taken
    from therapist
    where ($1::uuid is null or id > $1) and ($2::text is null or region = $2)
      and ($3::boolean is null or active = $3)
    order by id limit $4
"""

SAVE: Final = """
    insert into therapist (id, version, name, region, area, active, reaches, entry, places_total,
                           places_ceiling)
    select new.id, new.version, new.name, new.entry ->> 'region', new.entry ->> 'area',
           (new.entry ->> 'active')::boolean,
           array(select distinct region from (
               select new.entry ->> 'region' as region
               union all select jsonb_array_elements_text(new.entry -> 'telehealth_regions')) as reached),
           new.entry, (new.entry ->> 'places_total')::int, (new.entry ->> 'places_total')::int
    from unnest($1::uuid[], $2::int[], $3::text[], $4::jsonb[]) as new (id, version, name, entry)
    on conflict (id) do update
    set version = excluded.version, name = excluded.name, region = excluded.region, area = excluded.area,
        active = excluded.active, reaches = excluded.reaches, entry = excluded.entry,
        places_total = excluded.places_total,
        places_ceiling = greatest(excluded.places_total, therapist.places_taken), changed = this_change()
    where therapist.version < excluded.version
    returning id
"""

SAVE_AREAS: Final = """
    insert into area (code, latitude, longitude)
    select code, latitude, longitude
    from unnest($1::text[], $2::float8[], $3::float8[]) as new (code, latitude, longitude)
    on conflict (code) do update
    set latitude = excluded.latitude, longitude = excluded.longitude, changed = this_change()
    where (area.latitude, area.longitude) is distinct from (excluded.latitude, excluded.longitude)
    returning code
"""

AREAS: Final = "select code, latitude, longitude from area where code = any($1::text[])"

LIVING_IN: Final = "select id from therapist where area = any($1::text[])"

REACHES: Final = """
    select distinct reached as region from therapist, unnest(reaches) as reached where id = any($1::uuid[])
"""


def _therapist(record: Record) -> StoredTherapist:
    return StoredTherapist(
        id=record["id"],
        version=record["version"],
        entry=entry_of(record["name"], record["entry"]),
        places_taken=record["places_taken"],
    )


async def load(connection: Connection, ids: Collection[UUID]) -> dict[UUID, StoredTherapist]:
    return {record["id"]: _therapist(record) for record in await connection.fetch(LOAD, list(ids))}


async def load_to_change(connection: Connection, ids: Collection[UUID]) -> dict[UUID, StoredTherapist]:
    return {record["id"]: _therapist(record) for record in await connection.fetch(LOAD_TO_CHANGE, list(ids))}


async def page(
    connection: Connection, *, after: UUID | None, region: str | None, active: bool | None, limit: int
) -> list[StoredTherapist]:
    return [_therapist(record) for record in await connection.fetch(LIST, after, region, active, limit)]


async def save(connection: Connection, rows: Sequence[StoredTherapist]) -> set[UUID]:
    """Returns whom it saved; another's newer version is left as it is."""
    saved = await connection.fetch(
        SAVE,
        [row.id for row in rows],
        [row.version for row in rows],
        [row.entry.name for row in rows],
        [entry_json(row.entry) for row in rows],
    )
    return {record["id"] for record in saved}


async def save_areas(connection: Connection, points: dict[str, Point]) -> set[str]:
    """Returns the codes of those that are new or have moved."""
    latitudes = [point[0] for point in points.values()]
    longitudes = [point[1] for point in points.values()]
    saved = await connection.fetch(SAVE_AREAS, list(points), latitudes, longitudes)
    return {record["code"] for record in saved}


async def areas(connection: Connection, codes: Collection[str]) -> dict[str, Point]:
    """The centres of those of these areas that are known."""
    rows = await connection.fetch(AREAS, list(codes))
    return {row["code"]: (row["latitude"], row["longitude"]) for row in rows}


async def living_in(connection: Connection, areas: Collection[str]) -> list[UUID]:
    return [record["id"] for record in await connection.fetch(LIVING_IN, list(areas))]


async def reached_by(connection: Connection, ids: Collection[UUID]) -> list[str]:
    """The regions whose clients any of these therapists can see."""
    return [record["region"] for record in await connection.fetch(REACHES, list(ids))]
