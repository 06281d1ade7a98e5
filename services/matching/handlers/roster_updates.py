"""Updates of the roster: entries put one by one or imported, and the centres of areas."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from services.matching import outgoing_events
from services.matching.db import places, therapists
from services.matching.domain.profiles import Point
from services.matching.domain.roster_changes import RosterChanges, changes
from services.matching.domain.therapist_entry import Entry
from shared.db import outbox
from shared.db.postgres import Connection
from shared.errors import Transient

ANY_VERSION: Final = "*"


async def update(connection: Connection, entries: Mapping[UUID, Entry], *, now: datetime) -> RosterChanges:
    """Stores what is new or differs. Each of these may help somebody on the waitlist."""
    known = await therapists.load_to_change(connection, entries.keys())
    verdict = changes(entries, known)
    await _save(connection, verdict)
    await outbox.publish(
        connection, [outgoing_events.therapist_changed(row, now=now) for row in verdict.saved]
    )
    return verdict


async def _save(connection: Connection, verdict: RosterChanges) -> None:
    if not verdict.saved:
        return
    saved = await therapists.save(connection, verdict.saved)
    if len(saved) != len(verdict.saved):
        raise Transient("matching:therapist_was_added_by_two_at_once")
    await places.add_vacancies(connection, saved, entry=True)


async def update_areas(connection: Connection, points: Mapping[str, Point]) -> dict[str, int]:
    """The therapists there may now help somebody: a distance may have become short enough."""
    moved = await therapists.save_areas(connection, dict(points))
    if moved:
        found = await therapists.living_in(connection, moved)
        await places.add_vacancies(connection, found, entry=True)
    return {"changed": len(moved), "unchanged": len(points) - len(moved)}
