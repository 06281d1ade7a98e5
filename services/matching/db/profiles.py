"""Rows as the decisions see them: a client from what triage said they need, a therapist from their entry."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from services.matching.domain.profiles import Client, Point, Therapist, Wish
from shared.languages import spoken
from shared.vocabulary import Criterion

Json = Mapping[str, Any]


def client_of(
    referral_id: UUID, region: str, needs: Json, declined: Sequence[UUID], areas: Mapping[str, Point]
) -> Client:
    """`needs` as `on_triaged` keeps them."""
    return Client(
        id=referral_id,
        region=region,
        age=needs["age"],
        perinatal=bool(needs["perinatal"]),
        languages=_spoken(needs["languages"]),
        interpreter_ok=needs["interpreter_ok"],
        payer=needs["payer"],
        problems=tuple(needs["problems"]),
        first_line=frozenset(needs["first_line"]),
        alternatives=frozenset(needs["alternatives"]),
        wishes=tuple(wish for each in needs["wishes"] if (wish := _wish(each)).values),
        point=areas.get(needs["area"] or ""),
        declined=frozenset(declined),
    )


def _wish(wish: Json) -> Wish:
    values: tuple[str, ...] = tuple(wish["values"])
    if wish["criterion"] == Criterion.LANGUAGE:
        values = _spoken(values)
    return Wish(wish["criterion"], values, wish["must"])


def _spoken(tags: Iterable[str]) -> tuple[str, ...]:
    """As they are compared, whoever wrote them and when; a code that names no language says nothing."""
    return tuple(dict.fromkeys(found for tag in tags if (found := spoken(tag)) is not None))


def therapist_of(
    therapist_id: UUID, entry: Json, *, version: int, places_taken: int, areas: Mapping[str, Point]
) -> Therapist:
    """`entry` as the coordinator gave it."""
    return Therapist(
        id=therapist_id,
        region=entry["region"],
        active=entry["active"],
        telehealth_regions=frozenset(entry["telehealth_regions"]),
        languages=frozenset(_spoken(entry["languages"])),
        works_with_interpreter=entry["works_with_interpreter"],
        payers=frozenset(entry["payers"]),
        modalities=frozenset(entry["modalities"]),
        problems=frozenset(entry["problems"]),
        age_groups=frozenset(entry["age_groups"]),
        perinatal=entry["perinatal"],
        genders=frozenset(entry["genders"]),
        cultures=frozenset(entry["cultures"]),
        culture_familiarity=frozenset(entry["culture_familiarity"]),
        faiths=frozenset(entry["faiths"]),
        settings=frozenset(entry["settings"]),
        hours=frozenset(entry["hours"]),
        point=areas.get(entry["area"] or ""),
        places_total=entry["places_total"],
        places_taken=places_taken,
        version=version,
    )
