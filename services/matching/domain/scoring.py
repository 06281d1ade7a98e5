"""Wishes: how well each eligible therapist meets what the client asked for, criterion by criterion.

Only what the client said counts, against what therapists state about themselves. A criterion on which the
client said nothing is left out, except guidance (`indication`, `specialism`) and two ties: the shorter
journey, and the therapist with more room.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.matching.domain.eligibility import furthest
from services.matching.domain.eligibility_columns import distances
from services.matching.domain.profiles import Client, therapist_ids
from services.matching.domain.roster_columns import IN_PERSON, TELEHEALTH, Bits, Flags, Numbers, Roster, Rows
from shared.vocabulary import Criterion


@dataclass(frozen=True, slots=True)
class Weights:
    """What each criterion weighs, beside the others that apply to the same client. Zero leaves it out.

    The order follows the evidence in the network's clinical reference: what the client prefers weighs most
    (fewer leave, OR 1.79), familiarity with a culture more than sharing it, self-claims little.
    """

    therapist: float = 3.0
    not_therapist: float = 3.0
    language: float = 3.0
    modality: float = 2.0
    indication: float = 2.0
    therapist_gender: float = 2.0
    culture_familiarity: float = 2.0
    culture: float = 1.0
    faith: float = 1.0
    setting: float = 1.5
    hours: float = 1.5
    distance_km: float = 1.0
    specialism: float = 0.5
    nearness: float = 0.1
    room: float = 0.1


@dataclass(frozen=True, slots=True)
class CriterionScore:
    """How well a therapist meets one criterion, from 0 to 1, and what that weighs."""

    criterion: str
    score: float
    weight: float


@dataclass(frozen=True, slots=True)
class Fit:
    """For each row of a list of rows: the score of each criterion, and the weighted mean, all 0 to 1."""

    criteria: tuple[str, ...]
    weights: tuple[float, ...]
    scores: Numbers
    total: Numbers

    def at(self, place: int) -> tuple[CriterionScore, ...]:
        """The scores of one of the rows."""
        found = self.scores[:, place].round(4).tolist()
        return tuple(map(CriterionScore, self.criteria, found, self.weights))


USUAL_JOURNEY_KM: Final = 50.0
"""Where the client named no distance: from here on a journey is long."""

ENOUGH_HOURS: Final = 3.0
"""A weekly session needs one hour in common; three are as good as thirty."""


def fit(client: Client, roster: Roster, rows: Rows, weights: Weights) -> Fit:
    """Scores of these rows, which should be eligible."""
    judged = [
        (name, weight, score)
        for name, score in _criteria(client, roster, rows)
        if (weight := getattr(weights, name)) > 0
    ]
    scores = np.array([score for _, _, score in judged]).reshape(len(judged), len(rows))
    mine = np.array([weight for _, weight, _ in judged])
    total = mine @ scores / mine.sum() if judged else np.ones(len(rows))
    return Fit(tuple(n for n, _, _ in judged), tuple(w for _, w, _ in judged), scores, total)


def _criteria(client: Client, roster: Roster, rows: Rows) -> Iterator[tuple[str, Numbers]]:
    yield from _guidance(client, roster, rows)
    yield from _stated(client, roster, rows)
    if values := client.liking(Criterion.SETTING):
        flag = {"in_person": IN_PERSON, "telehealth": TELEHEALTH}
        yield "setting", _liking(values, lambda v: (roster.flags[rows] & flag.get(v, 0)) != 0, rows)
    if values := client.liking(Criterion.HOURS):
        wanted = min(ENOUGH_HOURS, len(values))
        common = roster.hours.count(rows, roster.hours.mask(values))
        yield "hours", np.minimum(common, wanted) / wanted
    if named := therapist_ids(client.liking(Criterion.THERAPIST)):
        yield "therapist", np.isin(rows, roster.rows(named)).astype(np.float64)
    if named := therapist_ids(client.liking(Criterion.NOT_THERAPIST)):
        yield "not_therapist", np.isin(rows, roster.rows(named), invert=True).astype(np.float64)
    yield from _journey(client, roster, rows)
    yield "room", roster.free[rows] / np.maximum(roster.total[rows], 1)


def _guidance(client: Client, roster: Roster, rows: Rows) -> Iterator[tuple[str, Numbers]]:
    """First line above alternative; the client's wish chooses among what guidance names."""
    if client.indicated:
        first = roster.modalities.any(rows, roster.modalities.mask(client.first_line))
        yield "indication", np.where(first, 1.0, 0.5)
    wished = [m for m in client.liking(Criterion.MODALITY) if not client.indicated or m in client.indicated]
    if wished:
        yield "modality", _liking(wished, _having(roster.modalities, rows), rows)
    if client.problems:
        known = roster.problems.count(rows, roster.problems.mask(client.problems))
        yield "specialism", known / len(set(client.problems))


def _stated(client: Client, roster: Roster, rows: Rows) -> Iterator[tuple[str, Numbers]]:
    """Languages in the client's order; an interpreter meets the limit but not the liking."""
    languages = tuple(dict.fromkeys((*client.liking(Criterion.LANGUAGE), *client.languages)))
    stated: tuple[tuple[str, Sequence[str], Bits], ...] = (
        ("language", languages, roster.languages),
        ("therapist_gender", client.liking(Criterion.THERAPIST_GENDER), roster.genders),
        ("culture_familiarity", client.liking(Criterion.CULTURE_FAMILIARITY), roster.familiarity),
        ("culture", client.liking(Criterion.CULTURE), roster.cultures),
        ("faith", client.liking(Criterion.FAITH), roster.faiths),
    )
    for name, values, bits in stated:
        if values:
            yield name, _liking(values, _having(bits, rows), rows)


def _journey(client: Client, roster: Roster, rows: Rows) -> Iterator[tuple[str, Numbers]]:
    """One at the door, half at the distance named, zero at twice that; telehealth if asked for: one."""
    values = client.liking(Criterion.DISTANCE_KM)
    limit = furthest(values)
    if client.point is None or (values and limit <= 0):
        return
    kilometres = np.nan_to_num(distances(client.point, roster, rows), nan=np.inf)
    scale = 2 * (limit if values else USUAL_JOURNEY_KM)
    score = np.clip(1 - kilometres / scale, 0, 1)
    if client.asks_for_telehealth:
        score = np.where((roster.flags[rows] & TELEHEALTH) != 0, 1.0, score)
    yield ("distance_km" if values else "nearness"), score


def _having(bits: Bits, rows: Rows) -> Callable[[str], Flags]:
    return lambda value: bits.any(rows, bits.mask([value]))


def _liking(values: Sequence[str], having: Callable[[str], Flags], rows: Rows) -> Numbers:
    """One for the best liked that the therapist has, less for those named later, zero for none."""
    score = np.zeros(len(rows))
    for place in range(len(values) - 1, -1, -1):
        score[having(values[place])] = 1 - place / len(values)
    return score
