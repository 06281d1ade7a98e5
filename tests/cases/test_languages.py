"""Languages as records elsewhere hold them, against the example roster."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from services.intake.api.form_mapping import form_of, identity_of
from services.intake.api.requests import ReferralForm
from services.intake.domain.language_notes import NOT_UNDERSTOOD
from services.matching.api.roster_csv import Bad, read_therapists
from services.matching.domain.client_needs import client_of
from services.matching.domain.eligibility_columns import eligible
from services.matching.domain.roster_columns import Roster
from services.matching.domain.therapist_entry import therapist_of
from services.matching.incoming_events import needs_of
from shared.events import Case, Wish
from tests.cases.pipeline import TODAY, Result, patched, submit

CASES: Final = json.loads((Path(__file__).parent / "languages.json").read_text())
EXAMPLES: Final = Path("examples/therapists.csv").read_text()


def roster_of(text: str) -> Roster:
    rows = list(read_therapists(text))
    assert not [row for row in rows if isinstance(row, Bad)]
    return Roster(
        therapist_of(row.id, row.entry.stated(), version=1, places_taken=0, areas={})
        for row in rows
        if not isinstance(row, Bad)
    )


def count_eligible(result: Result, roster: Roster) -> int:
    assert result.triaged is not None
    client = client_of(UUID(int=1), result.triaged.region, needs_of(result.triaged), (), {})
    return len(eligible(client, roster))


def case_of(result: Result) -> Case:
    assert result.status == 202 and result.fact is not None, result.answer
    found = getattr(result.fact, "case", None)
    assert isinstance(found, Case)
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_language_of_the_field(case: Mapping[str, Any]) -> None:
    result = submit(patched({"client": {"languages": case["languages"]}}))
    assert list(case_of(result).languages) == case["sent"]
    assert sorted(result.warnings) == case.get("warnings", [])
    assert list(case_of(result).not_understood) == [NOT_UNDERSTOOD[c] for c in case.get("warnings", [])]
    assert count_eligible(result, roster_of(EXAMPLES)) == case["eligible"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_roster_in_the_codes_of_another_system_is_the_same_roster(case: Mapping[str, Any]) -> None:
    """`language-roster-spa`: a therapist imported with `spa;eng` is eligible for `es`."""
    other = {"en": "eng", "es": "spa", "zh": "ZHO", "fa": "pes", "uk": "ukr", "ase": "sgn-US"}
    rows = list(csv.DictReader(io.StringIO(EXAMPLES)))
    for row in rows:
        row["languages"] = ";".join(other.get(code, code) for code in row["languages"].split(";"))
    written = io.StringIO()
    writer = csv.DictWriter(written, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    assert "spa" in written.getvalue()
    result = submit(patched({"client": {"languages": case["languages"]}}))
    assert count_eligible(result, roster_of(written.getvalue())) == case["eligible"]


@pytest.mark.parametrize("text", ["zxx", "xyz", "Elvish", "qaa"])
def test_a_line_of_a_roster_that_names_no_language_is_named(text: str) -> None:
    header, first, *_ = EXAMPLES.splitlines()
    assert ",en," in first
    (bad,) = read_therapists(f"{header}\n{first.replace(',en,', f',en;{text},')}\n")
    assert isinstance(bad, Bad)
    assert [(fault.where, fault.code) for fault in bad.faults] == [("languages.1", "unknown_language")]
    assert text not in bad.faults[0].what


def preferring(*values: str) -> dict[str, Any]:
    return {"preferences": [{"criterion": "language", "values": list(values), "strength": "must"}]}


def test_a_preferred_language_is_compared_like_a_spoken_one() -> None:
    result = submit(patched(preferring("spa", "xyz")))
    assert case_of(result).wishes == (Wish(criterion="language", values=("es",), must=True),)
    assert case_of(result).not_understood == ("language",)
    places = [(each["where"], each["code"]) for each in result.answer["warnings"]]
    assert places == [("/preferences/0/values/1", "language_unknown")]


def test_a_must_that_names_no_language_waits_for_a_clinician() -> None:
    lost = submit(patched(preferring("zxx")))
    assert case_of(lost).wishes == ()
    assert case_of(lost).not_understood == ("language", "must")
    assert lost.review and lost.review.holds and lost.triaged is None


def test_which_language_of_a_group_is_asked_once() -> None:
    result = submit(patched({"client": {"languages": ["zho", "ar"]}} | preferring("zh")))
    places = [(each["where"], each["code"]) for each in result.answer["warnings"]]
    assert places == [(f"/client/languages/{place}", "spoken_language") for place in (0, 1)]
    assert case_of(result).not_understood == ("spoken_language",)


@pytest.mark.parametrize(
    ("text", "sent", "warnings"),
    [
        ("spa", "es", set()),
        ("ENG", "en", set()),
        ("Spanish", "es", set()),
        ("fra", "fr", {"other_language"}),
        ("zho", "zh", {"other_language"}),
        ("Elvish", None, {"language_unknown"}),
    ],
)
def test_the_language_of_an_answer_sheet(text: str, sent: str | None, warnings: set[str]) -> None:
    sheet = {"instrument": "phq9", "taken_on": TODAY, "answers": [1, 1, 1, 0, 0, 0, 0, 0, 0]}
    result = submit(patched({"screenings": [sheet | {"language": text}]}))
    assert [each.language for each in case_of(result).screenings] == [sent]
    assert result.warnings == warnings


def test_what_named_no_language_stays_sealed_and_is_there_when_the_form_is_read_again() -> None:
    body = patched({"client": {"languages": ["Elvish", "spa"]}})
    case = case_of(submit(body))
    assert "Elvish" not in case.model_dump_json()
    identity = identity_of(ReferralForm.model_validate_json(json.dumps(body)))
    again = form_of(case, "otter", identity)
    assert again["client"]["languages"] == ["Elvish", "spa"]
    assert case_of(submit(patched({"payer": "self_pay"}, again))).not_understood == ("language",)
    known = case_of(submit(patched({"client": {"languages": ["spa"]}}, again)))
    assert (known.languages, known.not_understood) == (("es",), ())
