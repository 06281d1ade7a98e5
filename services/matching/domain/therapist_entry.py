"""A therapist's entry on the roster, as the coordinator gave it and as it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from services.matching.domain.client_needs import spoken_languages
from services.matching.domain.profiles import Point, Therapist


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Lists are in a fixed order and hold nothing twice, so that equal entries are equal values."""

    name: str
    region: str
    telehealth_regions: tuple[str, ...]
    area: str | None
    languages: tuple[str, ...]
    works_with_interpreter: bool
    payers: tuple[str, ...]
    modalities: tuple[str, ...]
    problems: tuple[str, ...]
    age_groups: tuple[str, ...]
    perinatal: bool
    genders: tuple[str, ...]
    cultures: tuple[str, ...]
    culture_familiarity: tuple[str, ...]
    faiths: tuple[str, ...]
    settings: tuple[str, ...]
    hours: tuple[str, ...]
    places_total: int
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTherapist:
    """`places_taken` counts the offers that are open or accepted."""

    id: UUID
    version: int
    entry: Entry
    places_taken: int = 0

    def profile(self, areas: Mapping[str, Point]) -> Therapist:
        return therapist_of(
            self.id, self.entry, version=self.version, places_taken=self.places_taken, areas=areas
        )


def therapist_of(
    therapist_id: UUID, entry: Entry, *, version: int, places_taken: int, areas: Mapping[str, Point]
) -> Therapist:
    return Therapist(
        id=therapist_id,
        region=entry.region,
        active=entry.active,
        telehealth_regions=frozenset(entry.telehealth_regions),
        languages=frozenset(spoken_languages(entry.languages)),
        works_with_interpreter=entry.works_with_interpreter,
        payers=frozenset(entry.payers),
        modalities=frozenset(entry.modalities),
        problems=frozenset(entry.problems),
        age_groups=frozenset(entry.age_groups),
        perinatal=entry.perinatal,
        genders=frozenset(entry.genders),
        cultures=frozenset(entry.cultures),
        culture_familiarity=frozenset(entry.culture_familiarity),
        faiths=frozenset(entry.faiths),
        settings=frozenset(entry.settings),
        hours=frozenset(entry.hours),
        point=areas.get(entry.area or ""),
        places_total=entry.places_total,
        places_taken=places_taken,
        version=version,
    )
