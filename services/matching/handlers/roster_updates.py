"""Keeping the roster: entries put by hand or imported, and the centres of areas."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.matching import outgoing_events
from services.matching.api.therapist_models import TherapistEntry
from services.matching.db import places
from services.matching.db import therapists as roster_store
from services.matching.db.therapists import Row
from services.matching.domain.profiles import Point
from shared.db import outbox
from shared.db.postgres import Connection
from shared.errors import Transient

ANY_VERSION: Final = "*"


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the entries given."""

    created: tuple[UUID, ...]
    updated: tuple[UUID, ...]
    unchanged: tuple[UUID, ...]

    @property
    def counts(self) -> dict[str, int]:
        return {
            "created": len(self.created),
            "updated": len(self.updated),
            "unchanged": len(self.unchanged),
        }


async def keep(connection: Connection, entries: Mapping[UUID, TherapistEntry], *, now: datetime) -> Kept:
    """Save what is new or differs, note that it may help who waits, and announce it."""
    known = await roster_store.load_to_change(connection, entries.keys())
    changed = [
        row for id_, entry in entries.items() if (row := _changed(id_, entry, known.get(id_))) is not None
    ]
    if changed:
        saved = await roster_store.save(connection, changed)
        if len(saved) != len(changed):
            raise Transient("matching:therapist_was_added_by_two_at_once")
        await places.vacancies(connection, saved, entry=True)
        await outbox.publish(connection, [outgoing_events.therapist_changed(row, now=now) for row in changed])
    ids = {row.id for row in changed}
    return Kept(
        created=tuple(id_ for id_ in ids if id_ not in known),
        updated=tuple(id_ for id_ in ids if id_ in known),
        unchanged=tuple(id_ for id_ in entries if id_ not in ids),
    )


def _changed(id_: UUID, entry: TherapistEntry, known: Row | None) -> Row | None:
    stated = entry.stated()
    if known and (known.name, known.entry) == (entry.name, stated):
        return None
    return Row(
        id=id_,
        version=known.version + 1 if known else 1,
        name=entry.name,
        entry=stated,
        places_taken=known.places_taken if known else 0,
    )


def differs(entry: TherapistEntry, known: Row | None) -> bool:
    return known is None or (known.name, known.entry) != (entry.name, entry.stated())


async def keep_areas(connection: Connection, points: Mapping[str, Point]) -> dict[str, int]:
    """Who lives there is looked at again: a distance may have become short enough."""
    changed = await roster_store.save_areas(connection, dict(points))
    if changed:
        therapists = await roster_store.living_in(connection, changed)
        await places.vacancies(connection, therapists, entry=True)
    return {"changed": len(changed), "unchanged": len(points) - len(changed)}
