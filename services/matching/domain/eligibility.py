"""Hard limits: whom a client may not be offered, and why.

`reasons` is the definition, for one client and one therapist. `eligibility_columns.py` is the same for a
whole roster at once; a property test holds the two equal. Whether a place is free is not a limit: a client
whose therapists are all full is waitlisted for a place, one with no therapist at all needs something else.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

from services.matching.domain.profiles import (
    Client,
    Therapist,
    age_groups,
    kilometres,
    limit_km,
    therapist_ids,
)
from shared.vocabulary import Criterion


class Reason(StrEnum):
    """Why a therapist may not be offered to a client."""

    INACTIVE = "inactive"
    REGION = "region"
    AGE_GROUP = "age_group"
    PERINATAL = "perinatal"
    LANGUAGE = "language"
    PAYER = "payer"
    MODALITY = "modality"
    PROBLEM = "problem"
    DECLINED = "declined"
    MUST_MODALITY = "must_modality"
    MUST_THERAPIST_GENDER = "must_therapist_gender"
    MUST_LANGUAGE = "must_language"
    MUST_CULTURE = "must_culture"
    MUST_CULTURE_FAMILIARITY = "must_culture_familiarity"
    MUST_FAITH = "must_faith"
    MUST_SETTING = "must_setting"
    MUST_DISTANCE_KM = "must_distance_km"
    MUST_HOURS = "must_hours"
    MUST_THERAPIST = "must_therapist"
    MUST_NOT_THERAPIST = "must_not_therapist"


NEVER_RELAXED: Final = frozenset({Reason.INACTIVE, Reason.AGE_GROUP, Reason.DECLINED})
"""Neither a client nor a coordinator can give these up: a licence, and a therapist's own no."""


def reasons(client: Client, therapist: Therapist) -> tuple[Reason, ...]:
    """Every limit that keeps this therapist from this client; empty means eligible."""
    return tuple(dict.fromkeys(reason for reason, met in _limits(client, therapist) if not met))


def _limits(client: Client, therapist: Therapist) -> Iterator[tuple[Reason, bool]]:
    yield Reason.INACTIVE, therapist.active
    yield Reason.REGION, _reachable(client, therapist)
    yield Reason.AGE_GROUP, age_groups(client.age) <= therapist.age_groups
    yield Reason.PERINATAL, therapist.perinatal or not client.perinatal
    yield Reason.LANGUAGE, _understood(client, therapist)
    yield Reason.PAYER, client.payer is None or client.payer in therapist.payers
    yield from _scope(client, therapist)
    yield Reason.DECLINED, therapist.id not in client.declined
    yield from _musts(client, therapist)


def _reachable(client: Client, therapist: Therapist) -> bool:
    if client.refuses_telehealth:
        return therapist.region == client.region
    return therapist.reaches(client.region)


def _understood(client: Client, therapist: Therapist) -> bool:
    """A language nobody stated is not guessed, and limits nothing."""
    if not client.languages:
        return True
    interpreted = client.interpreter_ok and therapist.works_with_interpreter
    return interpreted or not therapist.languages.isdisjoint(client.languages)


def _scope(client: Client, therapist: Therapist) -> Iterator[tuple[Reason, bool]]:
    """An indicated modality; with nothing indicated, the problem. No stated problem means a generalist."""
    if client.indicated:
        yield Reason.MODALITY, not therapist.modalities.isdisjoint(client.indicated)
    elif client.problems:
        yield (
            Reason.PROBLEM,
            not therapist.problems or not therapist.problems.isdisjoint(client.problems),
        )


def _musts(client: Client, therapist: Therapist) -> Iterator[tuple[Reason, bool]]:
    stated = {
        Criterion.MODALITY: (Reason.MUST_MODALITY, therapist.modalities),
        Criterion.THERAPIST_GENDER: (Reason.MUST_THERAPIST_GENDER, therapist.genders),
        Criterion.LANGUAGE: (Reason.MUST_LANGUAGE, therapist.languages),
        Criterion.CULTURE: (Reason.MUST_CULTURE, therapist.cultures),
        Criterion.CULTURE_FAMILIARITY: (Reason.MUST_CULTURE_FAMILIARITY, therapist.culture_familiarity),
        Criterion.FAITH: (Reason.MUST_FAITH, therapist.faiths),
        Criterion.SETTING: (Reason.MUST_SETTING, therapist.settings),
        Criterion.HOURS: (Reason.MUST_HOURS, therapist.hours),
    }
    for criterion, (reason, codes) in stated.items():
        for values in client.musts(criterion):
            yield reason, not codes.isdisjoint(values)
    for values in client.musts(Criterion.DISTANCE_KM):
        yield Reason.MUST_DISTANCE_KM, _near(client, therapist, values)
    for values in client.musts(Criterion.THERAPIST):
        yield Reason.MUST_THERAPIST, therapist.id in therapist_ids(values)
    for values in client.musts(Criterion.NOT_THERAPIST):
        yield Reason.MUST_NOT_THERAPIST, therapist.id not in therapist_ids(values)


def _near(client: Client, therapist: Therapist, values: tuple[str, ...]) -> bool:
    """Telehealth needs no journey, for a client who asked for it. An unknown place is not near."""
    if client.asks_for_telehealth and "telehealth" in therapist.settings:
        return True
    if client.point is None or therapist.point is None:
        return False
    return kilometres(client.point, therapist.point) <= furthest(values)


def furthest(values: Sequence[str]) -> float:
    return max(map(limit_km, values), default=-1.0)
