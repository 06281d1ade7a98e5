"""All 5,735 real answer sheets through the HTTP door and the rules in their processes; `-s` prints a report.

Intake and triage on a real broker and a real Postgres. What all four services make of the first 500 is in
`test_nhanes.py`, and what other policies say to all of them in `tests/unit/intake/test_nhanes_report.py`.
"""

import asyncio
import json
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from careroute.client import Api
from careroute.local import Stack
from careroute.network import find
from shared.instruments import INSTRUMENTS
from shared.web.auth import Role
from tests.brokers import Kafka
from tests.journey.conftest import OURS, complaints
from tests.journey.nhanes import SHEETS, Row, age, answers, is_spanish, line, rows
from tests.support import eventually

AT_ONCE = 500
SAME_DAY = {"emergency", "very_urgent", "urgent"}
BANDS = [band.key for band in INSTRUMENTS["phq9"].bands]
ASKED = """
    select r.referral_id::text as id, r.urgency, r.express, v.review_by - v.opened_at as within,
        array(select jsonb_array_elements(v.reasons) ->> 'rule') as reasons
    from referral r left join review v using (referral_id) where r.state = 'triaged'
"""

pytestmark = [
    pytest.mark.skipif(not SHEETS.exists(), reason=f"{SHEETS.name} is not on this machine"),
    pytest.mark.timeout(600),
]


@dataclass(frozen=True)
class Triaged:
    """One sheet and what triage's database says of it."""

    row: Row
    urgency: str
    express: bool
    reviewed_within_hours: float | None
    reasons: frozenset[str]

    @property
    def ninth(self) -> str:
        value = answers(self.row)[8]
        return str(value) if isinstance(value, int) else f"{value or 'missing'}"

    @property
    def given(self) -> int:
        return sum(value for value in answers(self.row) if isinstance(value, int))

    @property
    def band(self) -> str:
        """Of the complete ones; what is made up for is the unit tests' matter."""
        if not all(isinstance(value, int) for value in answers(self.row)):
            return "incomplete"
        return next(band.key for band in INSTRUMENTS["phq9"].bands if band.low <= self.given <= band.high)


@pytest.fixture(scope="module")
def two_services(outer_kafka: Kafka | None) -> Iterator[Stack]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    if outer_kafka is not None:
        outer_kafka.empty()
        environ |= outer_kafka.environment
    stack = Stack(Path(tempfile.mkdtemp(prefix="careroute-nhanes-")), environ=environ)
    try:
        stack.start_infrastructure()
        stack.start_services("intake", "triage", seconds=90)
        yield stack
    finally:
        for said in complaints(stack):
            print(said)  # shown by pytest when something failed
        stack.discard()


@pytest.fixture(scope="module")
async def triaged(two_services: Stack) -> AsyncIterator[list[Triaged]]:
    """Sent in batches; then asked of triage's own database, once all are decided."""
    network = find(two_services.folder)
    people = rows()
    async with Api(network) as api:
        ids = [
            id for start in range(0, len(people), AT_ONCE) for id in await sent(api, people[start:][:AT_ONCE])
        ]
    assert len(set(ids)) == len(people)
    database = await asyncpg.connect(network.database("triage"))
    try:

        async def all_decided() -> dict[str, Any] | None:
            found = {row["id"]: row for row in await database.fetch(ASKED)}
            return found if found.keys() >= set(ids) else None

        found = await eventually(all_decided, seconds=400, what=f"deciding {len(ids)}")
    finally:
        await database.close()
    yield [seen(row, found[id]) for id, row in zip(ids, people, strict=True)]


async def sent(api: Api, people: list[Row]) -> list[str]:
    """The ids, in order. Whatever was answered, refused or left open: every sheet is taken."""
    content = await asyncio.to_thread(lambda: "\n".join(json.dumps(line(row)) for row in people))
    response = await api.call(
        "POST",
        "intake",
        "/v1/referrals/batch",
        role=Role.CLINIC,
        clinic="clinic-2",
        headers={"Content-Type": "application/x-ndjson"},
        content=content,
        timeout=120,
    )
    said = [json.loads(text) for text in response.text.splitlines()]
    assert [one["status"] for one in said] == [202] * len(people)
    return [one["referral"]["id"] for one in said]


def seen(row: Row, record: Any) -> Triaged:
    within = record["within"]
    return Triaged(
        row=row,
        urgency=record["urgency"],
        express=record["express"],
        reviewed_within_hours=within.total_seconds() / 3600 if within is not None else None,
        reasons=frozenset(record["reasons"]),
    )


def test_a_report_of_urgency_by_total_band_and_item_9(triaged: list[Triaged]) -> None:
    counts = Counter((one.band, one.ninth, one.urgency) for one in triaged)
    order = [*BANDS, "incomplete"]
    print(f"\n{len(triaged)} answer sheets through the door\n{'PHQ-9 band':<18} item 9   urgency    sheets")
    for (band, ninth, urgency), count in sorted(counts.items(), key=lambda c: (order.index(c[0][0]), c[0])):
        print(f"{band:<18} {ninth:<8} {urgency:<10} {count:>6}")
    assert counts.total() == 5735
    assert {one.ninth for one in triaged} == {"0", "1", "2", "3", "refused", "unknown", "missing"}
    assert {one.band for one in triaged} == set(order)


def test_none_with_item_9_above_0_gets_less_than_same_day_review(triaged: list[Triaged]) -> None:
    positive = [one for one in triaged if one.ninth in ("1", "2", "3")]
    assert positive
    for one in positive:
        assert one.urgency in SAME_DAY
        assert one.express
        assert "phq9-item9" in one.reasons
        assert one.reviewed_within_hours is not None and one.reviewed_within_hours <= 24


def test_refused_unknown_and_missing_are_not_assessed(triaged: list[Triaged]) -> None:
    open_ = [one for one in triaged if one.ninth in ("refused", "unknown", "missing")]
    assert open_
    for one in open_:
        assert one.urgency in SAME_DAY
        assert "safety-not-assessed" in one.reasons
        assert one.reviewed_within_hours is not None and one.reviewed_within_hours <= 24


def test_without_a_total_nothing_is_quietly_routine(triaged: list[Triaged]) -> None:
    """More than two items left open, item 9 answered with zero."""
    too_open = [
        one
        for one in triaged
        if one.ninth == "0" and sum(not isinstance(value, int) for value in answers(one.row)) > 2
    ]
    assert too_open
    assert all("sheet-not-scored" in one.reasons for one in too_open)


def test_with_item_9_at_0_the_total_decides(triaged: list[Triaged]) -> None:
    for one in triaged:
        if one.ninth == "0" and 18 <= age(one.row) < 65:
            assert one.urgency == ("soon" if one.given >= 20 else "routine")


def test_english_and_spanish_alike(triaged: list[Triaged]) -> None:
    answered: dict[tuple[Any, ...], set[tuple[Any, ...]]] = {}
    spoken: dict[tuple[Any, ...], set[bool]] = {}
    for one in triaged:
        key = (*answers(one.row), age(one.row) < 18, age(one.row) >= 65)
        answered.setdefault(key, set()).add((one.urgency, one.express, one.reasons))
        spoken.setdefault(key, set()).add(is_spanish(one.row))
    in_both = [key for key, languages in spoken.items() if len(languages) == 2]
    assert len(in_both) > 10, "or this shows nothing"
    assert {len(answered[key]) for key in answered} == {1}
