"""What storing these entries changes on the roster."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from services.matching.domain.therapist_entry import Entry, StoredTherapist


@dataclass(frozen=True, slots=True)
class RosterChanges:
    """`saved` are the rows to store and publish: the created and the updated ones."""

    saved: tuple[StoredTherapist, ...]
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


def differs(entry: Entry, known: StoredTherapist | None) -> bool:
    return known is None or known.entry != entry


def changes(entries: Mapping[UUID, Entry], known: Mapping[UUID, StoredTherapist]) -> RosterChanges:
    saved = tuple(
        _next_version(id_, entry, known.get(id_))
        for id_, entry in entries.items()
        if differs(entry, known.get(id_))
    )
    ids = [row.id for row in saved]
    return RosterChanges(
        saved=saved,
        created=tuple(id_ for id_ in ids if id_ not in known),
        updated=tuple(id_ for id_ in ids if id_ in known),
        unchanged=tuple(id_ for id_ in entries if id_ not in set(ids)),
    )


def _next_version(id_: UUID, entry: Entry, known: StoredTherapist | None) -> StoredTherapist:
    return StoredTherapist(
        id=id_,
        version=known.version + 1 if known else 1,
        entry=entry,
        places_taken=known.places_taken if known else 0,
    )
