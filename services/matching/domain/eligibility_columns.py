"""The hard limits of `eligibility.py` over the whole roster at once: bits against bits."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from services.matching.domain.eligibility import NEVER_RELAXED, Reason, furthest
from services.matching.domain.profiles import EARTH_KM, Client, Point, age_groups, therapist_ids
from services.matching.domain.roster_columns import (
    ACTIVE,
    AGE,
    GENERALIST,
    INTERPRETER,
    LOCAL,
    PERINATAL,
    SETTING,
    TELEHEALTH,
    Bits,
    Flags,
    Numbers,
    Roster,
    Rows,
    Words,
)
from shared.vocabulary import Criterion

Test = Callable[[Rows], Flags]


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One limit that, given up alone, would open this many therapists who have a place. A stored one may name
    a limit of another version."""

    limit: str
    opens: int


def eligible(client: Client, roster: Roster) -> Rows:
    """The rows of all eligible therapists, free or full."""
    rows, flags = roster.bucket(client.region)
    need = _need(client)
    rows = rows[_all(flags, need)]
    for _, met in _tests(client, roster):
        if len(rows) == 0:
            break
        rows = rows[met(rows)]
    return rows


def refusals(client: Client, roster: Roster, rows: Rows) -> dict[Reason, Flags]:
    """For each limit that applies to the client, which of these therapists it keeps from them."""
    refused: dict[Reason, Flags] = {}
    for reason, met in [*_gates(client, roster), *_tests(client, roster)]:
        refused[reason] = refused.get(reason, np.zeros(len(rows), np.bool_)) | ~met(rows)
    return refused


def relaxations(client: Client, roster: Roster, rows: Rows) -> tuple[Relaxation, ...]:
    """Which single limit, given up, opens how many of these therapists; most first."""
    refused = refusals(client, roster, rows)
    alone = sum(flags.astype(np.int8) for flags in refused.values()) == 1
    opens = [
        Relaxation(reason, int(np.count_nonzero(flags & alone)))
        for reason, flags in refused.items()
        if reason not in NEVER_RELAXED
    ]
    return tuple(sorted((r for r in opens if r.opens), key=lambda r: (-r.opens, r.limit)))


def _need(client: Client) -> int:
    """The limits that are single bits, as one mask: a therapist needs every one of them."""
    need = ACTIVE | sum(AGE[group] for group in age_groups(client.age))
    need |= PERINATAL if client.perinatal else 0
    return need | (LOCAL if client.refuses_telehealth else 0)


def _gates(client: Client, roster: Roster) -> Iterator[tuple[Reason, Test]]:
    """The same limits one by one, where it matters which of them failed."""
    ages = sum(AGE[group] for group in age_groups(client.age))
    perinatal = PERINATAL if client.perinatal else 0
    home = roster.reach.mask([client.region])
    local = LOCAL if client.refuses_telehealth else 0
    yield Reason.INACTIVE, lambda rows: _all(roster.flags[rows], ACTIVE)
    yield Reason.AGE_GROUP, lambda rows: _all(roster.flags[rows], ages)
    yield Reason.PERINATAL, lambda rows: _all(roster.flags[rows], perinatal)
    yield (
        Reason.REGION,
        lambda rows: roster.reach.any(rows, home) & _all(roster.flags_for(client.region, rows), local),
    )


def _all(flags: Words, need: int) -> Flags:
    met: Flags = (flags & need) == need
    return met


def _tests(client: Client, roster: Roster) -> Iterator[tuple[Reason, Test]]:
    """The limits that need one of several codes, those that leave fewest first."""
    if client.payer is not None:
        yield Reason.PAYER, _one_of(roster.payers, [client.payer])
    if client.languages:
        interpreted = INTERPRETER if client.interpreter_ok else 0
        yield Reason.LANGUAGE, _one_of(roster.languages, client.languages, roster, interpreted)
    if client.indicated:
        yield Reason.MODALITY, _one_of(roster.modalities, sorted(client.indicated))
    elif client.problems:
        yield Reason.PROBLEM, _one_of(roster.problems, client.problems, roster, GENERALIST)
    if client.declined:
        yield Reason.DECLINED, _not_among(roster.rows(client.declined))
    yield from _must_tests(client, roster)


def _must_tests(client: Client, roster: Roster) -> Iterator[tuple[Reason, Test]]:
    stated = {
        Criterion.MODALITY: (Reason.MUST_MODALITY, roster.modalities),
        Criterion.THERAPIST_GENDER: (Reason.MUST_THERAPIST_GENDER, roster.genders),
        Criterion.LANGUAGE: (Reason.MUST_LANGUAGE, roster.languages),
        Criterion.CULTURE: (Reason.MUST_CULTURE, roster.cultures),
        Criterion.CULTURE_FAMILIARITY: (Reason.MUST_CULTURE_FAMILIARITY, roster.familiarity),
        Criterion.FAITH: (Reason.MUST_FAITH, roster.faiths),
        Criterion.HOURS: (Reason.MUST_HOURS, roster.hours),
    }
    for criterion, (reason, bits) in stated.items():
        for values in client.musts(criterion):
            yield reason, _one_of(bits, values)
    for values in client.musts(Criterion.SETTING):
        yield Reason.MUST_SETTING, _flagged(roster, sum(SETTING.get(v, 0) for v in set(values)))
    for values in client.musts(Criterion.DISTANCE_KM):
        yield Reason.MUST_DISTANCE_KM, _near_enough(client, roster, furthest(values))
    for values in client.musts(Criterion.THERAPIST):
        yield Reason.MUST_THERAPIST, _among(roster.rows(therapist_ids(values)))
    for values in client.musts(Criterion.NOT_THERAPIST):
        yield Reason.MUST_NOT_THERAPIST, _not_among(roster.rows(therapist_ids(values)))


def _one_of(bits: Bits, codes: Sequence[str], roster: Roster | None = None, or_flag: int = 0) -> Test:
    mask = bits.mask(codes)
    if roster is None or not or_flag:
        return lambda rows: bits.any(rows, mask)
    return lambda rows: bits.any(rows, mask) | ((roster.flags[rows] & or_flag) != 0)


def _among(named: Rows) -> Test:
    return lambda rows: np.isin(rows, named)


def _not_among(named: Rows) -> Test:
    return lambda rows: np.isin(rows, named, invert=True)


def _flagged(roster: Roster, flags: int) -> Test:
    return lambda rows: (roster.flags[rows] & flags) != 0


def _near_enough(client: Client, roster: Roster, limit: float) -> Test:
    remote = TELEHEALTH if client.asks_for_telehealth else 0

    def met(rows: Rows) -> Flags:
        near: Flags = distances(client.point, roster, rows) <= limit
        near |= (roster.flags[rows] & remote) != 0
        return near

    return met


def distances(point: Point | None, roster: Roster, rows: Rows) -> Numbers:
    """Kilometres to each of these therapists; not a number where a place is unknown."""
    if point is None:
        return np.full(len(rows), np.nan)
    lat, lon = np.radians(roster.latitude[rows]), np.radians(roster.longitude[rows])
    here, there = np.radians(point[0]), np.radians(point[1])
    across = np.cos(here) * np.cos(lat) * np.sin((lon - there) / 2) ** 2
    found: Numbers = (
        2 * EARTH_KM * np.arcsin(np.minimum(1.0, np.sqrt(np.sin((lat - here) / 2) ** 2 + across)))
    )
    return found
