"""Reads one answer sheet against its instrument. Pure, and without an exception for any input.

A safety item counts on its own: `fired` and `not_assessed` are worked out before, and apart from, any total.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.instruments.catalogue import INSTRUMENTS
from shared.instruments.problems import (
    NOT_SAID,
    Circumstances,
    Problem,
    count_fits,
    problems,
    unknown_instrument,
)
from shared.instruments.sheet import Answer, Band, Cluster, Instrument, Item, Tier

OUT_OF_DATE: Final = frozenset({"stale", "in_the_future"})


@dataclass(frozen=True, slots=True)
class Fired:
    """A safety item answered positively. `assumed`: it should have been asked, was not, and so counts."""

    instrument: str
    item: str
    value: int
    assumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a sheet says. `given` is the sum of the scored items that were answered, `total` the whole sum,
    prorated where the instrument allows it, or None. A safety item is in `fired`, in `not_assessed`, in both
    (assumed positive), or was answered with zero or rightly not asked. `contradictions` are items answered
    positively although the question that opens them was answered with no; they fire all the same."""

    instrument: str
    known: bool
    problems: tuple[Problem, ...] = ()
    values: tuple[tuple[str, int], ...] = ()
    missing: tuple[str, ...] = ()
    given: int = 0
    total: int | None = None
    prorated: bool = False
    band: Band | Tier | None = None
    clusters_met: bool | None = None
    fired: tuple[Fired, ...] = ()
    not_assessed: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()

    @property
    def current(self) -> bool:
        """It says how somebody is now. What is positive counts whenever it was said; a no does not keep."""
        return not any(problem.code in OUT_OF_DATE for problem in self.problems)

    @property
    def scored(self) -> bool:
        """It has the result that its instrument gives: a total, or else that its criteria are met or not."""
        instrument = INSTRUMENTS.get(self.instrument)
        if instrument is None:
            return False
        if instrument.max_total is not None:
            return self.total is not None
        return self.clusters_met is not None or not instrument.clusters

    @property
    def too_open(self) -> bool:
        """So much was left open that it has no result. For want of a safety answer alone it has none either,
        which is said in `not_assessed`."""
        return not self.scored and bool(set(self.missing) - set(self.not_assessed))

    @property
    def complete(self) -> bool:
        """Every item that had to be answered was answered, and nothing about the sheet is doubtful."""
        return self.known and not self.missing and not self.problems


def read(
    instrument_key: str,
    answers: Sequence[Answer],
    *,
    stated_total: int | None = None,
    circumstances: Circumstances = NOT_SAID,
) -> Reading:
    """An instrument we do not know (one from the future) is reported, not refused."""
    instrument = INSTRUMENTS.get(instrument_key)
    if instrument is None:
        return Reading(instrument=instrument_key, known=False, problems=(unknown_instrument(INSTRUMENTS),))
    return read_against(instrument, tuple(answers), stated_total, circumstances)


def safety_fired(instrument_key: str, answers: Sequence[Answer]) -> tuple[Fired, ...]:
    """The safety items of this sheet that were answered positively."""
    return read(instrument_key, answers).fired


def read_against(
    instrument: Instrument,
    answers: tuple[Answer, ...],
    stated: int | None = None,
    circumstances: Circumstances = NOT_SAID,
) -> Reading:
    values = _usable(instrument, answers)
    asked = [item for item in instrument.items if _was_to_be_asked(item, values)]
    missing = tuple(i.key for i in asked if i.key not in values and not i.optional)
    miscounted = not count_fits(instrument, answers)
    given = sum(i.score(values[i.key]) for i in instrument.items if i.scored and i.key in values)
    total = None if miscounted else _total(instrument, given, missing)
    fired = _fired(instrument, asked, values)
    return Reading(
        instrument=instrument.key,
        known=True,
        problems=problems(instrument, answers, circumstances, given=given, missing=missing, stated=stated),
        values=tuple(values.items()),
        missing=missing,
        given=given,
        total=total,
        prorated=total is not None and bool(missing),
        band=_tier(instrument, fired) or _band(instrument, total),
        clusters_met=_clusters_met(instrument, values, missing),
        fired=fired,
        not_assessed=_not_assessed(asked, values, fired, miscounted=miscounted),
        contradictions=_contradictions(instrument, values),
    )


def _usable(instrument: Instrument, answers: tuple[Answer, ...]) -> dict[str, int]:
    pairs = zip(instrument.items, answers, strict=False)
    return {i.key: int(a) for i, a in pairs if isinstance(a, int) and i.takes(a)}


def _was_to_be_asked(item: Item, values: dict[str, int]) -> bool:
    """Skipped only after a clear no: while the opening question is unanswered, this one is open too."""
    if not item.asked_if or item.key in values:
        return True
    return any(values.get(key, 1) > 0 for key in item.asked_if)


def _total(instrument: Instrument, given: int, missing: tuple[str, ...]) -> int | None:
    """Prorated by the mean of the answered items, halves up. Never when a safety item is missing."""
    scored = [i for i in instrument.items if i.scored]
    absent = [i for i in scored if i.key in missing]
    if not scored or len(absent) > instrument.prorate_up_to or any(i.safety for i in absent):
        return None
    answered = len(scored) - len(absent)
    return (2 * given * len(scored) + answered) // (2 * answered)


def _fired(instrument: Instrument, asked: list[Item], values: dict[str, int]) -> tuple[Fired, ...]:
    fired: list[Fired] = []
    for item in asked:
        if not item.safety:
            continue
        if item.key in values:
            score = item.score(values[item.key])
            if score > item.low:
                fired.append(Fired(instrument.key, item.key, score))
        elif item.unanswered_means and any(values.get(key, 0) > 0 for key in item.asked_if):
            fired.append(Fired(instrument.key, item.key, item.unanswered_means, assumed=True))
    return tuple(fired)


def _not_assessed(
    asked: list[Item], values: dict[str, int], fired: tuple[Fired, ...], *, miscounted: bool
) -> tuple[str, ...]:
    """With a wrong number of answers nobody knows which answer is whose: only what fired is believed."""
    positive = {f.item for f in fired if not f.assumed}
    return tuple(
        i.key for i in asked if i.safety and (i.key not in values or (miscounted and i.key not in positive))
    )


def _contradictions(instrument: Instrument, values: dict[str, int]) -> tuple[str, ...]:
    return tuple(
        i.key
        for i in instrument.items
        if i.asked_if and values.get(i.key, 0) > 0 and all(values.get(key) == 0 for key in i.asked_if)
    )


def _tier(instrument: Instrument, fired: tuple[Fired, ...]) -> Tier | None:
    positive = {f.item for f in fired}
    return next((tier for tier in instrument.tiers if positive.intersection(tier.items)), None)


def _band(instrument: Instrument, total: int | None) -> Band | None:
    if total is None:
        return None
    return next((band for band in instrument.bands if band.low <= total <= band.high), None)


def _clusters_met(instrument: Instrument, values: dict[str, int], missing: tuple[str, ...]) -> bool | None:
    """True once the answers given meet every cluster, False once no answer to what is missing could."""
    if not instrument.clusters:
        return None
    met = all(_counting(cluster, values) >= cluster.needs for cluster in instrument.clusters)
    may_yet = all(
        _counting(cluster, values) + len(set(cluster.items).intersection(missing)) >= cluster.needs
        for cluster in instrument.clusters
    )
    return met or (None if may_yet else False)


def _counting(cluster: Cluster, values: dict[str, int]) -> int:
    return sum(values.get(key, -1) >= cluster.counts_from for key in cluster.items)
