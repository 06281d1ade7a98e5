"""The golden answer sheets would notice any change of what an instrument is made of: an item turned the other
way, a band that begins a point later, a safety item that is none, a code that became another's.

A mutation test of data. That of the code is `make mutation`; see docs/mutation.md.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from shared.instruments import INSTRUMENTS, Instrument, Item
from tests.unit.shared.golden_sheets import FACTS, GOLDEN, facts_of, made_of

T = TypeVar("T")
Altered = tuple[str, Instrument]


def with_one(values: tuple[T, ...], place: int, new: T | None) -> tuple[T, ...]:
    """Another in this place, or none."""
    return (*values[:place], *(() if new is None else (new,)), *values[place + 1 :])


def items(instrument: Instrument) -> Iterator[Altered]:
    for place, item in enumerate(instrument.items):
        for change in item_changes(item):
            changed = with_one(instrument.items, place, replace(item, **change))
            yield f"{item.key} {change}", replace(instrument, items=changed)


def item_changes(item: Item) -> Iterator[dict[str, Any]]:
    yield {"high": item.high + 1}
    yield {"high": item.high - 1}
    yield {"low": item.low + 1}
    yield {"loinc": "00000-0"}
    for name in ("reversed", "scored", "optional", "safety"):
        yield {name: not getattr(item, name)}
    if item.asked_if:
        yield {"asked_if": ()}
        yield from ({"asked_if": with_one(item.asked_if, n, None)} for n in range(len(item.asked_if)))
    if item.unanswered_means:
        yield {"unanswered_means": None}


def results(instrument: Instrument) -> Iterator[Altered]:
    for place, band in enumerate(instrument.bands):
        for change in ({"low": band.low + 1}, {"high": band.high - 1}, {"key": "another"}):
            bands = with_one(instrument.bands, place, replace(band, **change))
            yield f"{band.key} {change}", replace(instrument, bands=bands)
    for place, cut in enumerate(instrument.cut_offs):
        for by in (-1, 1):
            cuts = with_one(instrument.cut_offs, place, replace(cut, at_least=cut.at_least + by))
            yield f"{cut.key} {by:+}", replace(instrument, cut_offs=cuts)
        yield f"{cut.key} gone", replace(instrument, cut_offs=with_one(instrument.cut_offs, place, None))
    for place, tier in enumerate(instrument.tiers):
        for n, key in enumerate(tier.items):
            tiers = with_one(instrument.tiers, place, replace(tier, items=with_one(tier.items, n, None)))
            yield f"{tier.key} without {key}", replace(instrument, tiers=tiers)
    if instrument.tiers:
        yield "tiers the other way round", replace(instrument, tiers=instrument.tiers[::-1])
    for place, cluster in enumerate(instrument.clusters):
        changes: list[dict[str, Any]] = [
            *({name: getattr(cluster, name) + by} for name in ("counts_from", "needs") for by in (-1, 1)),
            *({"items": with_one(cluster.items, n, None)} for n in range(len(cluster.items))),
        ]
        for changed in changes:
            clusters = with_one(instrument.clusters, place, replace(cluster, **changed))
            yield f"{cluster.key} {changed}", replace(instrument, clusters=clusters)


def whole(instrument: Instrument) -> Iterator[Altered]:
    if instrument.max_total is not None:
        yield "one more made up for", replace(instrument, prorate_up_to=instrument.prorate_up_to + 1)
    if instrument.prorate_up_to:
        yield "one fewer made up for", replace(instrument, prorate_up_to=instrument.prorate_up_to - 1)
    yield "panel code", replace(instrument, panel_loinc="00000-0")
    yield "code of the total", replace(instrument, total_loinc="00000-0")
    yield "recall", replace(instrument, recall_days=(instrument.recall_days or 0) + 1)
    yield "youngest", replace(instrument, ages=((instrument.ages[0] or 0) + 1, instrument.ages[1]))
    yield "oldest", replace(instrument, ages=(instrument.ages[0], (instrument.ages[1] or 99) + 1))


def noticed(instrument: Instrument) -> bool:
    rows = [row for row in GOLDEN if row.instrument == instrument.key]
    another_form = facts_of(instrument) != FACTS[instrument.key]
    return another_form or any(made_of(instrument, row) != row for row in rows)


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=lambda each: each.key)
def test_no_change_of_an_instrument_goes_unnoticed(instrument: Instrument) -> None:
    assert not noticed(instrument)
    changed = [*items(instrument), *results(instrument), *whole(instrument)]
    assert len(changed) > 10
    assert [what for what, each in changed if not noticed(each)] == []
