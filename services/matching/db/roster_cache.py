"""The roster in memory, brought up to date before every round by reading only what changed."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from services.matching.db import therapists
from services.matching.domain.profiles import Point
from services.matching.domain.roster_columns import Roster
from shared.db.postgres import Connection, Record

# A transaction under way now is read next time: nothing is missed, a little is read twice.
HORIZON: Final = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint"

CHANGED: Final = """
    select id, version, case when active then greatest(0, places_total - places_taken) else 0 end as free
    from therapist where changed >= $1
"""

CHANGED_AREAS: Final = "select code, latitude, longitude from area where changed >= $1"

CHUNK: Final = 1000


@dataclass
class Snapshot:
    """One for each process. Decisions are made on it; places are taken in the database."""

    roster: Roster = field(default_factory=Roster)
    areas: dict[str, Point] = field(default_factory=dict)
    _horizon: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def refresh(self, connection: Connection) -> None:
        async with self._lock:
            horizon = await connection.fetchval(HORIZON)
            moved = await self._refresh_areas(connection)
            rows = await connection.fetch(CHANGED, self._horizon)
            stale = {row["id"] for row in rows if self._version(row["id"]) != row["version"]}
            if moved:
                stale |= set(await therapists.living_in(connection, moved))
            self._apply(rows, stale)
            await self._read(connection, sorted(stale))
            self._horizon = horizon

    async def _refresh_areas(self, connection: Connection) -> list[str]:
        rows = await connection.fetch(CHANGED_AREAS, self._horizon)
        points = {row["code"]: (row["latitude"], row["longitude"]) for row in rows}
        moved = [code for code, point in points.items() if self.areas.get(code) != point]
        self.areas.update(points)
        return moved

    def _apply(self, rows: Sequence[Record], stale: Collection[UUID]) -> None:
        self.roster.set_free({row["id"]: row["free"] for row in rows if row["id"] not in stale})

    async def _read(self, connection: Connection, ids: Sequence[UUID]) -> None:
        for start in range(0, len(ids), CHUNK):
            rows = await therapists.load(connection, ids[start : start + CHUNK])
            self.roster.put([row.profile(self.areas) for row in rows.values()])
            await asyncio.sleep(0)  # a long roster must not hold up the loop

    def _version(self, therapist_id: UUID) -> int | None:
        row = self.roster.row_of.get(therapist_id)
        return None if row is None else int(self.roster.version[row])
