"""The roster as numpy columns: sets of codes become bits, so that one client against 10,000 is milliseconds.

Rows are only ever added or overwritten. `put` changes entries, `set_free` only places.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.profiles import AGE_GROUPS, Therapist

Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]
Words = NDArray[np.int64]
Numbers = NDArray[np.float64]

WORD: Final = 63
"""Bits used of an int64; the sign is left alone."""

ACTIVE, PERINATAL, INTERPRETER, IN_PERSON, TELEHEALTH, GENERALIST, LOCAL = (1 << bit for bit in range(7))
AGE: Final = {group: 1 << (7 + place) for place, group in enumerate(AGE_GROUPS)}
SETTING: Final = {"in_person": IN_PERSON, "telehealth": TELEHEALTH}

Mask = tuple[tuple[int, int], ...]
"""Which bits of which words; empty when the roster has never seen any of the codes."""


class Bits:
    """A set of codes for each row. A code gets a bit when first seen, a row as many words as codes need."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._words: Words = np.zeros((1, 0), np.int64)

    def grow(self, rows: int) -> None:
        grown = np.zeros((len(self._words), rows), np.int64)
        grown[:, : self._words.shape[1]] = self._words
        self._words = grown

    def put(self, row: int, codes: Iterable[str]) -> None:
        self._words[:, row] = 0
        for code in codes:
            place = self._places.setdefault(code, len(self._places))
            while place // WORD >= len(self._words):
                self._words = np.vstack([self._words, np.zeros_like(self._words[:1])])
            self._words[place // WORD, row] |= 1 << (place % WORD)

    def mask(self, codes: Iterable[str]) -> Mask:
        found: dict[int, int] = {}
        for code in codes:
            if (place := self._places.get(code)) is not None:
                found[place // WORD] = found.get(place // WORD, 0) | 1 << (place % WORD)
        return tuple(found.items())

    def any(self, rows: Rows, mask: Mask) -> Flags:
        """Which of these rows have at least one of the codes."""
        hits = [(self._words[word].take(rows) & bits) != 0 for word, bits in mask]
        if not hits:
            return np.zeros(len(rows), np.bool_)
        hit: Flags = np.logical_or.reduce(hits) if len(hits) > 1 else hits[0]
        return hit

    def count(self, rows: Rows, mask: Mask) -> Numbers:
        """How many of the codes each of these rows has."""
        total = np.zeros(len(rows), np.float64)
        for word, bits in mask:
            total += np.bitwise_count(self._words[word].take(rows) & bits)
        return total


class Roster:
    """Columns of all therapists, by row; `ids[row]` says who."""

    def __init__(self, therapists: Iterable[Therapist] = ()) -> None:
        self.ids: list[UUID] = []
        self.row_of: dict[UUID, int] = {}
        self._regions: dict[str, int] = {}
        self._buckets: dict[str, tuple[Rows, Words]] = {}
        self.flags: Words = np.zeros(0, np.int64)
        self.home: NDArray[np.int32] = np.zeros(0, np.int32)
        self.version: NDArray[np.int32] = np.zeros(0, np.int32)
        self.total: NDArray[np.int32] = np.zeros(0, np.int32)
        self.free: NDArray[np.int32] = np.zeros(0, np.int32)
        self.latitude: Numbers = np.zeros(0)
        self.longitude: Numbers = np.zeros(0)
        self.reach, self.languages, self.payers = Bits(), Bits(), Bits()
        self.modalities, self.problems, self.genders = Bits(), Bits(), Bits()
        self.cultures, self.familiarity, self.faiths, self.hours = Bits(), Bits(), Bits(), Bits()
        self.put(list(therapists))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def _sets(self) -> tuple[Bits, ...]:
        return (
            self.reach,
            self.languages,
            self.payers,
            self.modalities,
            self.problems,
            self.genders,
            self.cultures,
            self.familiarity,
            self.faiths,
            self.hours,
        )

    def put(self, therapists: Sequence[Therapist]) -> None:
        """Add or overwrite these entries."""
        for therapist in therapists:
            if therapist.id not in self.row_of:
                self.row_of[therapist.id] = len(self.ids)
                self.ids.append(therapist.id)
        if len(self.ids) > len(self.flags):
            self._grow(max(64, len(self.ids), 2 * len(self.flags)))
        for therapist in therapists:
            self._put(self.row_of[therapist.id], therapist)
        if therapists:
            self._buckets.clear()

    def set_free(self, free: Mapping[UUID, int]) -> None:
        for therapist_id, places in free.items():
            self.free[self.row_of[therapist_id]] = places

    def all_rows(self) -> Rows:
        return np.arange(len(self.ids))

    def rows(self, ids: Collection[UUID]) -> Rows:
        """The rows of those of these therapists who are on the roster."""
        return np.array(sorted(self.row_of[i] for i in ids if i in self.row_of), np.intp)

    def bucket(self, region: str) -> tuple[Rows, Words]:
        """Active therapists who reach the region, with their flags for it. Kept until an entry changes."""
        if region not in self._buckets:
            rows = self.all_rows()
            rows = rows[(self.flags[rows] & ACTIVE) != 0]
            rows = rows[self.reach.any(rows, self.reach.mask([region]))]
            self._buckets[region] = rows, self.flags_for(region, rows)
        return self._buckets[region]

    def flags_for(self, region: str, rows: Rows) -> Words:
        """Flags, with LOCAL for those whose own region it is."""
        local: Words = np.where(self.home[rows] == self._regions.get(region, -1), LOCAL, 0)
        return self.flags[rows] | local

    def _grow(self, rows: int) -> None:
        for name in ("flags", "home", "version", "total", "free", "latitude", "longitude"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros(rows - len(column), column.dtype)]))
        for bits in self._sets:
            bits.grow(rows)

    def _put(self, row: int, therapist: Therapist) -> None:
        remote = therapist.telehealth_regions if "telehealth" in therapist.settings else frozenset[str]()
        self.flags[row] = _flags(therapist)
        self.home[row] = self._regions.setdefault(therapist.region, len(self._regions))
        self.version[row] = therapist.version
        self.total[row] = therapist.places_total
        self.free[row] = therapist.free
        self.latitude[row], self.longitude[row] = therapist.point or (np.nan, np.nan)
        self.reach.put(row, remote | {therapist.region})
        self.languages.put(row, therapist.languages)
        self.payers.put(row, therapist.payers)
        self.modalities.put(row, therapist.modalities)
        self.problems.put(row, therapist.problems)
        self.genders.put(row, therapist.genders)
        self.cultures.put(row, therapist.cultures)
        self.familiarity.put(row, therapist.culture_familiarity)
        self.faiths.put(row, therapist.faiths)
        self.hours.put(row, therapist.hours)


def _flags(therapist: Therapist) -> int:
    stated = {
        ACTIVE: therapist.active,
        PERINATAL: therapist.perinatal,
        INTERPRETER: therapist.works_with_interpreter,
        GENERALIST: not therapist.problems,
    }
    flags = sum(flag for flag, true in stated.items() if true)
    flags |= sum(AGE[group] for group in therapist.age_groups)
    return flags | sum(SETTING[setting] for setting in therapist.settings)
