"""All real answer sheets through intake's acceptance and triage's rules, without a network: `-s` prints them.

The sheets (CDC/NCHS NHANES 2015-2016, public use) are read where they lie and never copied.
"""

import csv
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from services.intake.domain.acceptance import Filled, accept
from services.intake.domain.screening_notes import Sheet as SentSheet
from services.triage.case_mapping import chart_of
from services.triage.domain.urgency import Verdict, assess_urgency
from services.triage.policy.checks import POLICIES, load
from shared.events import Case, Consent, Screening
from shared.instruments import Answer, Reading, read
from shared.vocabulary import Urgency

FILE = Path(__file__).parents[4] / "shared" / "data" / "nhanes" / "phq9_2015_2016.csv"
ITEMS = [f"DPQ0{n}0" for n in range(1, 10)]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TAKEN = date(2026, 3, 1)
SAME_DAY = frozenset({Urgency.EMERGENCY, Urgency.VERY_URGENT, Urgency.URGENT})
NAMES = [path.stem for path in sorted(POLICIES.glob("*.toml")) if path.stem != "indications"]

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not on this machine")


class Row(NamedTuple):
    answers: tuple[Answer, ...]
    age: int
    spanish: bool


class Result(NamedTuple):
    row: Row
    reading: Reading
    express: bool
    verdict: Verdict


def answer(raw: str) -> Answer:
    """7 is refused, 9 does not know, blank is missing: none of the three is a zero."""
    match raw.removesuffix(".0"):
        case "":
            return None
        case "7":
            return "refused"
        case "9":
            return "unknown"
        case value:
            return int(value)


@cache
def rows() -> list[Row]:
    with FILE.open() as file:
        return [
            Row(
                answers=tuple(answer(each[item]) for item in ITEMS),
                age=int(float(each["RIDAGEYR"])),
                spanish=each["SIALANG"].startswith("2"),
            )
            for each in csv.DictReader(file)
        ]


def asked(row: Row, policy_name: str) -> Result:
    """As the front door and the rules would see it: depression, routine, screened yesterday."""
    sent = SentSheet(instrument="phq9", taken_on=TAKEN, answers=row.answers)
    filled = Filled(birth_date=date(NOW.year - row.age, 1, 1), requested_priority="routine", sheets=(sent,))
    taken = accept(filled, age_of_majority=18, today=NOW.date())
    assert not taken.faults
    assert taken.age == row.age
    screening = Screening(
        instrument="phq9", taken_on=TAKEN, answers=row.answers, language="es" if row.spanish else "en"
    )
    case = Case(
        as_of=taken.as_of,
        age=taken.age,
        guardian=taken.guardian,
        requested_priority=taken.priority,
        problems=("depression",),
        screenings=(screening,),
        consent=Consent(share_with_network=True),
    )
    verdict = assess_urgency(chart_of(case), policy(policy_name), asked_at=NOW)
    return Result(row, read("phq9", row.answers), taken.express, verdict)


policy = cache(lambda name: load(POLICIES / f"{name}.toml"))


@pytest.fixture(scope="module", params=NAMES)
def results(request: pytest.FixtureRequest) -> list[Result]:
    found = [asked(row, request.param) for row in rows()]
    print(report(request.param, found))
    return found


def ninth(result: Result) -> str:
    """What item 9 was answered with: 0 to 3, or `open`."""
    value = result.row.answers[8]
    return str(value) if isinstance(value, int) else "open"


def band(result: Result) -> str:
    return result.reading.band.key if result.reading.band else "no total"


def report(name: str, results: list[Result]) -> str:
    """Urgency by band of the total and answer to item 9."""
    counts = Counter((band(r), ninth(r), str(r.verdict.urgency)) for r in results)
    order = ["minimal", "mild", "moderate", "moderately_severe", "severe", "no total"]
    lines = [f"\n{name}: {len(results)} answer sheets", f"{'PHQ-9 band':<18} item 9  urgency    sheets"]
    for (total, item, urgency), count in sorted(counts.items(), key=lambda c: (order.index(c[0][0]), c[0])):
        lines.append(f"{total:<18} {item:<7} {urgency:<10} {count:>6}")
    return "\n".join(lines)


def test_all_the_sheets_are_there_of_every_kind(results: list[Result]) -> None:
    assert len(results) == 5735
    kinds = Counter(ninth(result) for result in results)
    assert set(kinds) == {"0", "1", "2", "3", "open"}, "or this shows less than it says"
    assert any(result.row.spanish for result in results)


def test_none_with_item_9_above_0_is_answered_later_than_the_same_day(results: list[Result]) -> None:
    positive = [result for result in results if ninth(result) in "123"]
    assert positive
    assert {result.verdict.urgency for result in positive} <= SAME_DAY
    assert all(result.express for result in positive)
    for result in positive:
        assert result.verdict.review_by is not None
        assert result.verdict.review_by <= NOW + timedelta(hours=24)
        assert "phq9-item9" in {finding.rule for finding in result.verdict.reviews}


def test_an_open_item_9_is_never_taken_for_a_zero(results: list[Result]) -> None:
    unanswered = [result for result in results if ninth(result) == "open"]
    assert unanswered
    assert {result.verdict.urgency for result in unanswered} <= SAME_DAY
    for result in unanswered:
        assert "safety-not-assessed" in {finding.rule for finding in result.verdict.reviews}
        assert result.reading.total is None, "a safety item is never made up for"


def test_no_total_dilutes_and_no_total_is_needed(results: list[Result]) -> None:
    """With item 9 at zero the total decides: severe is soon, everything else routine, unless a minor asks."""
    for result in results:
        if ninth(result) == "0" and 18 <= result.row.age < 65:
            severe = result.reading.given >= 20
            assert result.verdict.urgency is (Urgency.SOON if severe else Urgency.ROUTINE)


def test_a_sheet_too_open_for_a_total_is_not_quietly_routine(results: list[Result]) -> None:
    """Item 9 answered with zero, and more of the others left open than may be made up for."""
    open_ = [r for r in results if ninth(r) == "0" and r.reading.total is None]
    assert len(open_) == 2, "as many as the file holds"
    for result in open_:
        assert "sheet-not-scored" in {finding.rule for finding in result.verdict.reviews}
        assert result.verdict.review_by is not None
        assert result.verdict.review_by <= NOW + timedelta(hours=24)


def test_english_and_spanish_alike(results: list[Result]) -> None:
    by_answers: dict[tuple[object, ...], set[Urgency]] = {}
    languages: dict[tuple[object, ...], set[bool]] = {}
    for result in results:
        key = (*result.row.answers, result.row.age < 18, result.row.age >= 65)
        by_answers.setdefault(key, set()).add(result.verdict.urgency)
        languages.setdefault(key, set()).add(result.row.spanish)
    assert any(len(spoken) == 2 for spoken in languages.values()), "some sheet must occur in both"
    assert {len(urgencies) for urgencies in by_answers.values()} == {1}
