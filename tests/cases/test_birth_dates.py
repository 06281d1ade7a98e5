"""A birth date is a day written in full, or it is refused: a number is not a day of 1970."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careroute.referral_files import rows
from services.intake.api.parsing import read
from services.intake.api.requests import BatchLine, Form, ReferralForm
from shared.web.problems import Problem
from tests.cases.pipeline import BASE, NOW, patched, submit

CASES: Final = json.loads((Path(__file__).parent / "birth_dates.json").read_text())
by_id = pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])


TEXTS: Final = (
    "Takes a day that exists, as YYYY-MM-DD, such as 2000-07-09.",
    "This day is still to come.",
    "This is before 1900. Leave the birth date out if it is not known.",
)
"""None quotes what was sent."""


def with_birth_date(value: Any) -> dict[str, Any]:
    body = patched({})
    body["client"] = {**BASE["client"], "birth_date": value}
    return body


@by_id
def test_a_birth_date_is_taken_or_refused(case: dict[str, Any]) -> None:
    right, found = case["right"], submit(with_birth_date(case["birth_date"]))
    assert found.status == right["status"]
    if found.fact is None:
        assert [fault["where"] for fault in found.answer["errors"]] == ["/client/birth_date"]
        assert found.answer["errors"][0]["code"] in ("not_a_day", "in_the_future", "too_long_ago")
        assert found.answer["errors"][0]["what"] in TEXTS
    else:
        taken = found.fact.case  # type: ignore[attr-defined]  # a submission has one
        warnings = [w["code"] for w in found.answer["warnings"] if w["where"] == "/client/birth_date"]
        assert taken.age == right["age"]
        assert list(taken.not_understood) == right["not_understood"]
        assert warnings == ([right["warning"]] if right["warning"] else [])


def refuses(form: type[Form], body: Any) -> bool:
    try:
        read(form, json.dumps(body).encode(), now=NOW)
    except Problem as problem:
        return problem.status == 422
    return False


@by_id
def test_a_line_of_a_batch_is_read_as_a_form_is(case: dict[str, Any]) -> None:
    body = with_birth_date(case["birth_date"])
    assert refuses(BatchLine, body) == refuses(ReferralForm, body)


@by_id
def test_a_row_of_a_spreadsheet_is_read_as_a_form_is(case: dict[str, Any]) -> None:
    """An empty cell is a field left out, and spaces around a cell say nothing."""
    value = case["birth_date"]
    cell = str(value).strip() if value is not None else ""
    body = of_row({"client.birth_date": cell})
    assert body["client"].get("birth_date", "") == cell
    assert refuses(ReferralForm, body) == (bool(cell) and refuses(ReferralForm, with_birth_date(cell)))


def of_row(cells: dict[str, str]) -> dict[str, Any]:
    given = {"client.name": "A", "client.region": "otter", "consent.share_with_network": "true"} | cells
    out = io.StringIO()
    csv.writer(out).writerows([given.keys(), given.values()])
    (row,) = rows.read(out.getvalue())
    assert isinstance(row, tuple), row
    return row[1]


days = st.dates(date(1900, 1, 2), date(2026, 3, 2))
OTHER_FORMATS: Final = (
    "%Y%m%d",
    "%d%m%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%G-W%V-%u",
    "%Y-%j",
    "%y-%m-%d",
    "%-d %B %Y",
)
OTHER_FORMATS_OF_A_TIME: Final = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%SZ")


def other_ways(day: date) -> Iterator[Any]:
    """Everything that some library takes for this day and that is not how a day is written here."""
    yield from (day.strftime(each) for each in (*OTHER_FORMATS, *OTHER_FORMATS_OF_A_TIME))
    for moment in (datetime(day.year, day.month, day.day, tzinfo=UTC),):
        seconds = int(moment.timestamp())
        for number in (seconds, seconds * 1000, seconds / 1, day.toordinal()):
            yield from (number, str(number), f" {number}")
    iso = day.isoformat()
    yield from (
        f" {iso}",
        f"{iso} ",
        f"{iso}\n",
        iso.replace("-", "/"),
        iso.replace("-", "\u2010"),
        [iso],
        {"d": iso},
    )
    yield "".join(chr(0x660 + int(c)) if c.isdigit() else c for c in iso)


@given(days)
def test_a_day_written_any_other_way_is_refused(day: date) -> None:
    assert not refuses(ReferralForm, with_birth_date(day.isoformat()))
    for value in other_ways(day):
        assert refuses(ReferralForm, with_birth_date(value)), value
        sheet = {"instrument": "phq9", "taken_on": value, "answers": [0] * 9}
        assert refuses(ReferralForm, patched({"screenings": [sheet]})), value


def test_the_day_of_a_sheet_in_a_spreadsheet_is_read_as_strictly() -> None:
    for day, refused in (("2026-03-01", False), ("0", True), ("45717", True), ("3/1/2026", True)):
        body = of_row({"screening.phq9": ";".join("0" * 9), "screening.phq9.taken_on": day})
        assert refuses(ReferralForm, body) == refused


@pytest.mark.parametrize("value", ["1900-01-01", "1901-01-01", None])
def test_an_unknown_age_is_put_before_a_clinician(value: str | None) -> None:
    review = submit(with_birth_date(value)).review
    assert review is not None
    assert "age-unknown" in {reason.rule for reason in review.reasons}
