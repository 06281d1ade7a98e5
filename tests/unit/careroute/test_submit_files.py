"""Reading files of referrals: every line is read or named, and each has its key."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careroute.local.errors import StackError
from careroute.referral_files.files import Line, as_line, read
from careroute.referral_files.rows import Fault
from services.intake.api.receiving import receive
from services.intake.api.requests import BatchLine
from tests.cases.pipeline import NOW, RULES

Json = dict[str, Any]

MARKER = "Zyxwvut Qrstuv"
"""A name that must never be printed."""

FORM: Json = {"client": {"name": MARKER, "region": "otter"}, "consent": {"share_with_network": True}}


def written(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def found(file: Path) -> list[Line | Fault]:
    return list(read(file, clinic="clinic-a"))


def numbers(file: Path) -> list[tuple[int, bool]]:
    """Of each line where it begins and whether it can be sent."""
    return [(one.number, True) if isinstance(one, Line) else (one.line, False) for one in found(file)]


ONE = json.dumps(FORM)
PRETTY = json.dumps([FORM, FORM, FORM], indent=2)

FILES = [
    # name, content, line numbers and whether they can be sent
    ("a.ndjson", f"{ONE}\n{ONE}\n", [(1, True), (2, True)]),
    ("a.jsonl", f"{ONE}\n\n  \n{ONE}", [(1, True), (4, True)]),  # empty lines are skipped, but counted
    ("bom.ndjson", b"\xef\xbb\xbf" + ONE.encode(), [(1, True)]),
    ("crlf.ndjson", f"{ONE}\r\n{ONE}\r\n", [(1, True), (2, True)]),
    ("broken.ndjson", f"{ONE}\n{ONE[:-9]}\n{ONE}", [(1, True), (2, False), (3, True)]),
    ("latin.ndjson", ONE.encode() + b'\n{"a": "\xe9"}\n', [(1, True), (2, False)]),
    ("list.ndjson", f"[{ONE}]\n", [(1, False)]),
    ("nan.ndjson", '{"a": NaN}\n', [(1, False)]),
    ("deep.ndjson", "[" * 100_000 + "\n" + ONE, [(1, False), (2, True)]),
    ("long-number.ndjson", '{"a": ' + "9" * 5000 + "}\n" + ONE, [(1, False), (2, True)]),
    ("half-a-pair.ndjson", '{"a": "\\ud800"}\n', [(1, True)]),  # for the service to refuse, which names it
    ("one.json", ONE, [(1, True)]),
    ("list.json", PRETTY, [(2, True), (11, True), (20, True)]),
    ("flat-list.json", f"[{ONE},7,{ONE}]", [(1, True), (1, False), (1, True)]),
    ("a.csv", "client.name,client.region\nA,otter\n\nB,otter\n", [(2, True), (4, True)]),
    ("cells.csv", "client.name,client.region\nA\nB,otter\n", [(2, False), (3, True)]),
    ("two-lines.csv", 'client.name,notes\nA,"one\ntwo"\nB,x\n', [(2, True), (4, True)]),
]


@pytest.mark.parametrize(("name", "content", "expected"), FILES, ids=[name for name, _, _ in FILES])
def test_every_line_of_a_file_is_read_or_named(
    tmp_path: Path, name: str, content: str | bytes, expected: list[tuple[int, bool]]
) -> None:
    assert numbers(written(tmp_path, name, content)) == expected


UNUSABLE = [
    # name, content, what is said
    ("a.json", '{"a":\n  1,,\n}', "line 2: this is not JSON"),
    ("a.json", b'{"a": "\xe9"}', "line 1: this is not UTF-8"),
    ("a.json", "[" * 100_000, "is not JSON that can be read"),
    ("a.txt", ONE, "should end in .json, .ndjson"),
    ("a.ndjson", "\n\n", "holds no referral"),
    ("a.json", "[]", "holds no referral"),
    ("a.csv", "client.name,client.region\n", "holds no referral"),
    ("a.csv", "", "it is empty"),
    ("a.csv", f"client.name,{MARKER},client.region,{MARKER}\n", "column 2, 4 is not known"),
    ("a.csv", "client.name,notes,notes\nA,b,c\n", "twice is notes"),
    ("a.csv", '"client.name\n', "it is empty"),
]


@pytest.mark.parametrize(("name", "content", "said"), UNUSABLE)
def test_a_file_that_is_no_list_of_referrals_says_so_and_quotes_nothing(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    with pytest.raises(StackError) as error:
        found(written(tmp_path, name, content))
    assert said in str(error.value)
    assert MARKER not in str(error.value)


def test_a_file_that_is_a_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(StackError, match="cannot be read"):
        found(tmp_path / "folder.json")


# ---- keys --------------------------------------------------------------------------------------------------

values = st.recursive(
    st.none() | st.booleans() | st.integers(-100, 100) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
forms = st.dictionaries(st.text(max_size=5).filter(lambda k: k != "idempotency_key"), values, max_size=5)


def key(form: Json, clinic: str = "clinic-a") -> str:
    found: str = json.loads(as_line(form, clinic=clinic))["idempotency_key"]
    return found


@given(forms)
def test_a_derived_key_does_not_depend_on_the_order_of_fields(form: Json) -> None:
    backwards = dict(reversed(form.items()))
    assert key(form) == key(backwards)
    assert len(key(form)) <= 200


@given(forms, forms)
def test_another_content_has_another_key(one: Json, other: Json) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (key(one) == key(other)) == same


def test_another_clinic_has_another_key() -> None:
    assert key(FORM, "clinic-a") != key(FORM, "clinic-b")


def test_a_key_that_is_given_is_kept_and_an_empty_one_is_derived() -> None:
    assert key(FORM | {"idempotency_key": "ehr-1"}) == "ehr-1"
    assert key(FORM | {"idempotency_key": None}) == key(FORM)


# ---- spreadsheets ------------------------------------------------------------------------------------------


def form_of(tmp_path: Path, **cells: str) -> Json:
    header, row = ",".join(cells), ",".join(f'"{cell}"' for cell in cells.values())
    (line,) = found(written(tmp_path, "a.csv", f"{header}\n{row}\n"))
    assert isinstance(line, Line), line
    form: Json = json.loads(line.body)
    del form["idempotency_key"]
    return form


CELLS: list[tuple[Json, Json]] = [
    (
        {"client.name": " A ", "client.contact.phone": "1"},
        {"client": {"name": "A", "contact": {"phone": "1"}}},
    ),
    ({"client.languages": "es; en;", "notes": ""}, {"client": {"languages": ["es", "en"]}}),
    ({"client.perinatal": "Yes", "express": "0"}, {"client": {"perinatal": True}, "express": False}),
    ({"goals": "sleep;stay_well"}, {"goals": [{"code": "sleep"}, {"code": "stay_well"}]}),
    (
        {"screening.gad7": "1;0;;refused;unknown;2;3", "screening.gad7.taken_on": "2026-03-01"},
        {
            "screenings": [
                {
                    "instrument": "gad7",
                    "answers": [1, 0, None, "refused", "unknown", 2, 3],
                    "taken_on": "2026-03-01",
                }
            ]
        },
    ),
    (
        {"screening.phq2": "1;1", "screening.phq2.stated_total": "2"},
        {"screenings": [{"instrument": "phq2", "answers": [1, 1], "stated_total": 2}]},
    ),
    (
        {"must.language": "es", "wish.hours": "tue-17;tue-18"},
        {
            "preferences": [
                {"criterion": "language", "values": ["es"], "strength": "must"},
                {"criterion": "hours", "values": ["tue-17", "tue-18"], "strength": "wish"},
            ]
        },
    ),
]


@pytest.mark.parametrize(("cells", "form"), CELLS)
def test_a_column_leads_to_its_place_in_the_form(tmp_path: Path, cells: dict[str, str], form: Json) -> None:
    assert form_of(tmp_path, **cells) == form


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("red_flags", "overdose"),
        ("express", "yes"),
        ("requested_priority", "crisis"),
        ("diagnoses", "T1491XA"),
        ("screening.phq9", "often;1;0;0;0;0;0;0;2"),
    ],
)
def test_a_row_that_cannot_wait_is_sent_although_a_cell_cannot_be_read(
    tmp_path: Path, column: str, cell: str
) -> None:
    content = f"client.name,client.region,client.perinatal,{column}\nAlex,otter,perhaps,{cell}\n"
    (line,) = found(written(tmp_path, "a.csv", content))
    assert isinstance(line, Line)
    if column != "diagnoses":
        received = receive(BatchLine, line.body, rules=RULES, now=NOW)
        assert received.verdict.express
        assert "perinatal" in received.verdict.not_understood


def test_every_cell_that_cannot_be_read_is_named_at_once_and_not_quoted(tmp_path: Path) -> None:
    content = (
        "client.name,client.perinatal,screening.phq2,screening.gad7.taken_on\n"
        f"{MARKER},{MARKER},1;{MARKER},2026-03-01\n"
    )
    faults = found(written(tmp_path, "a.csv", content))
    assert all(isinstance(fault, Fault) for fault in faults)
    assert [(fault.line, fault.where) for fault in faults if isinstance(fault, Fault)] == [
        (2, "client.perinatal"),
        (2, "screening.phq2"),
        (2, "screening.gad7.taken_on"),
    ]
    assert MARKER not in repr(faults)
