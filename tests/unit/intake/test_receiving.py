"""A referral with a name on which something cannot wait is taken, whatever else is on it."""

import json
import time
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.api.code_spellings import LISTS, diagnosis, written
from services.intake.api.network_terms import COMMUNITY_CRITERIA
from services.intake.api.preparation import canonical, prepare
from services.intake.api.receiving import read_patch, receive, receive_sheets
from services.intake.api.request_examples import REFERRAL
from services.intake.api.requests import BatchLine, ReferralForm
from services.intake.db.records import NewReferral
from shared.instruments import INSTRUMENTS
from shared.network import folded
from shared.vocabulary import (
    EXPRESS_RED_FLAGS,
    EXTERNAL_LEVELS,
    GOALS,
    HOURS,
    MODALITIES,
    NOT_UNDERSTOOD_BY_CLINICIANS,
    NOT_UNDERSTOOD_BY_COORDINATORS,
    PROBLEMS,
    RED_FLAGS,
    STRENGTHS,
    Criterion,
)
from shared.web.problems import Problem
from tests.cases.pipeline import NOW, RULES

MARK = "Zephyrine Quackenbush 555-0173"
PARTS = NOT_UNDERSTOOD_BY_CLINICIANS | NOT_UNDERSTOOD_BY_COORDINATORS

marked = st.sampled_from(
    [MARK, MARK + "\x00", MARK + "\ud800", MARK * 100, [MARK], {MARK: MARK}, {"code": MARK}, {"name": [MARK]}]
)
garbage: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.builds(list)
    | st.builds(dict)
    | marked.map(deepcopy),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def taken(body: Any, model: type[ReferralForm] = ReferralForm) -> NewReferral:
    return ready(json.dumps(body).encode(), model)


def ready(body: bytes, model: type[ReferralForm] = ReferralForm) -> NewReferral:
    received = receive(model, body, rules=RULES, now=NOW)
    return prepare(
        received.form,
        rules=RULES,
        clinic="clinic-1",
        key=None,
        traceparent=None,
        now=NOW,
        verdict=received.verdict,
        unread=received.unread,
    )


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for name, each in inside for place in places(each, (*at, name)))]


PLACES = [
    place for place in places(REFERRAL) if place not in ((), ("client",), ("client", "name"), ("red_flags",))
]


def put(document: Any, place: tuple[Any, ...], value: Any) -> None:
    """Unless something else has been put around it."""
    with suppress(KeyError, IndexError, TypeError):
        for name in place[:-1]:
            document = document[name]
        document[place[-1]] = value


def check(new: NewReferral, flag: str) -> None:
    answer = json.loads(new.answer)
    assert flag in new.submitted.case.red_flags
    assert f"flag.{flag}" in answer["safety_advice"]["because"] and answer["express"]
    assert set(new.submitted.case.not_understood) <= PARTS
    for told in (new.submitted.model_dump_json(), new.answer.decode()):
        assert "Zephyrine" not in told and "555-0173" not in told


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(sorted(EXPRESS_RED_FLAGS)),
    st.lists(garbage, max_size=3),
    st.dictionaries(st.sampled_from(PLACES), garbage, max_size=4),
    st.dictionaries(st.text(max_size=8) | st.just(MARK), garbage, max_size=2),
)
def test_a_flag_that_cannot_wait_is_taken_whatever_stands_beside_it(
    flag: str, others: list[Any], wrong: dict[tuple[Any, ...], Any], more: dict[str, Any]
) -> None:
    body = deepcopy(REFERRAL)
    for place, value in wrong.items():
        put(body, place, deepcopy(value))
    more = {name: value for name, value in more.items() if folded(name) not in ("client", "redflags")}
    body = {**more, **body, "red_flags": [*others, flag]}
    check(taken(body), flag)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(EXPRESS_RED_FLAGS)), st.data())
def test_a_form_of_garbage_with_a_name_and_a_flag_is_taken(flag: str, data: st.DataObject) -> None:
    names = [name for name in REFERRAL if name not in ("client", "red_flags")]
    body = data.draw(st.fixed_dictionaries({}, optional={name: garbage for name in names}))
    inner = [name for name in REFERRAL["client"] if name != "name"]
    client = data.draw(st.fixed_dictionaries({}, optional={name: garbage for name in inner}))
    check(taken({**body, "client": {**client, "name": "Alex"}, "red_flags": [flag]}), flag)


@settings(max_examples=200, deadline=None)
@given(st.lists(garbage, max_size=9), garbage, garbage)
def test_a_sheet_that_fires_is_taken_whatever_stands_on_it(answers: list[Any], day: Any, total: Any) -> None:
    nine = [*answers, *[0] * 9][:8]
    sheet = {"instrument": "PHQ-9", "answers": [*nine, 2], "taken_on": day, "stated_total": total}
    new = taken({"client": {"name": "Alex"}, "screenings": [sheet]})
    assert "phq9.item9" in json.loads(new.answer)["safety_advice"]["because"]
    assert new.submitted.case.screenings[0].answers[8] == 2
    assert "Zephyrine" not in new.submitted.model_dump_json()


WRITTEN = [
    ("a text", {"red_flags": "overdose"}),
    ("several in one text", {"red_flags": "Overdose; nausea"}),
    ("several in one text of a list", {"red_flags": ["nausea, Overdose"]}),
    ("an object", {"red_flags": {"code": "overdose"}}),
    ("objects", {"red_flags": [{"code": "OVERDOSE", "display": "x"}]}),
    ("by name", {"red_flags": {"overdose": True, "weapon": False}}),
    ("another spelling of the field", {"redFlags": ["overdose"]}),
    ("one", {"red_flag": "overdose"}),
    ("hyphens", {"red-flags": ["over-dose"]}),
    ("beside an unknown field", {"red_flags": ["overdose"], "nickname": MARK}),
    ("51 times", {"red_flags": ["overdose"] * 51}),
    ("after 300 unknown", {"red_flags": [f"x{n}" for n in range(300)] + ["overdose"]}),
    ("nested deeply", {"red_flags": ["overdose"], "notes": json.loads("[" * 300 + "]" * 300)}),
    ("a huge number", {"red_flags": ["overdose"], "notes": 10**400}),
    ("not a number", {"red_flags": ["overdose"], "notes": float("nan")}),
]


@pytest.mark.parametrize("patch", [each[1] for each in WRITTEN], ids=[each[0] for each in WRITTEN])
def test_a_flag_is_read_however_it_is_written(patch: dict[str, Any]) -> None:
    check(taken({"client": {"name": "Alex", "region": "north"}, **patch}), "overdose")


@pytest.mark.parametrize(
    "answers", [["0"] * 8 + ["2"], [0.0] * 8 + [2.0], {"item9": 2}, [False] * 8 + [True]]
)
def test_answers_in_another_shape_are_read_where_they_cannot_wait(answers: Any) -> None:
    sheet = {"instrument": "phq9", "taken_on": "2026-03-01", "answers": answers}
    new = taken({"client": {"name": "Alex", "region": "north"}, "screenings": [sheet]})
    assert "phq9.item9" in json.loads(new.answer)["safety_advice"]["because"]


NAMES = ["x" * 201, {"given": ["Alex"], "family": "Example"}, "Alex\x00", ["Alex"], 5]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_in_another_shape_is_a_name(name: Any) -> None:
    new = taken({"client": {"name": name, "region": "north"}, "red_flags": ["overdose"]})
    check(new, "overdose")
    assert "name" in new.submitted.case.not_understood


NAMELESS = [{}, {"name": None}, {"name": " "}, {"name": []}, {"name": {"given": [None]}}, None, [], "", 5.5]


@pytest.mark.parametrize("client", NAMELESS, ids=range(len(NAMELESS)))
def test_without_a_name_it_is_refused_with_the_crisis_lines(client: Any) -> None:
    with pytest.raises(Problem) as refused:
        taken({"client": client, "red_flags": ["overdose"]})
    body = refused.value.body()
    assert body["detail"].startswith("NOT taken; nobody has been told.")
    assert body["safety_advice"]["because"] == ["flag.overdose"] and body["errors"]


@pytest.mark.parametrize("body", [[{"red_flags": ["overdose"]}], {"referral": {"redFlags": "overdose"}}])
def test_what_cannot_wait_is_seen_wherever_it_stands(body: Any) -> None:
    with pytest.raises(Problem) as refused:
        taken(body)
    assert refused.value.body()["safety_advice"]["because"] == ["flag.overdose"]


def test_without_a_signal_nothing_is_guessed() -> None:
    for patch in ({"red_flags": "medication_question"}, {"express": "no"}, {"client": {"name": ["A"]}}):
        with pytest.raises(Problem) as refused:
            taken(
                {"client": {"name": "Alex", "region": "north"}, "consent": {"share_with_network": True}}
                | patch
            )
        assert "safety_advice" not in refused.value.body()


def test_what_is_missing_beside_a_signal_is_filled_with_what_is_safe() -> None:
    new = taken({"client": {"name": "Alex"}, "red_flags": ["overdose"]})
    assert new.submitted.region == "network"
    assert new.submitted.case.consent.share_with_network is False
    assert new.submitted.case.not_understood == ("consent", "form", "region")


def test_a_consent_that_cannot_be_read_is_none() -> None:
    consents: list[Any] = ["yes", {"share_with_network": "yes"}, {"share_substance_use": True}, [], None]
    for consent in consents:
        new = taken(
            {"client": {"name": "Alex", "region": "north"}, "consent": consent, "red_flags": ["weapon"]}
        )
        assert new.submitted.case.consent.share_with_network is False


def test_a_key_of_a_line_that_is_none_becomes_one() -> None:
    line = {"client": {"name": "Alex", "region": "north"}, "red_flags": ["weapon"], "idempotency_key": "a b"}
    first, again = (
        receive(BatchLine, json.dumps(line).encode(), rules=RULES, now=NOW).form.idempotency_key for _ in "12"
    )
    assert first == again and first and first.startswith("derived-")


def test_a_form_without_end_is_answered_soon_and_its_fact_stays_small() -> None:
    fields = {f"x{number}": [number] * 5 for number in range(20_000)}
    lists = {"problems": ["x"] * 50_000, "screenings": [{"instrument": "y", "answers": []}] * 10_000}
    started = time.monotonic()
    for more in (fields, lists, {"client": {"name": "Alex", **fields}}):
        new = taken({"client": {"name": "Alex"}, **more, "red_flags": ["overdose"]})
        check(new, "overdose")
        assert len(new.submitted.model_dump_json()) < 5_000 and len(new.answer) < 50_000
    assert time.monotonic() - started < 30


VOCABULARIES = [RED_FLAGS, PROBLEMS, GOALS, STRENGTHS, MODALITIES, EXTERNAL_LEVELS, HOURS, set(INSTRUMENTS)]


@pytest.mark.parametrize("codes", [*VOCABULARIES, set(Criterion)], ids=range(9))
def test_every_code_is_found_in_every_spelling_and_no_other(codes: set[str]) -> None:
    find = written(codes)
    for code in codes:
        for said in (code, code.upper(), code.replace("_", "-"), code.replace("_", " "), f" {code}. "):
            assert find(said) == code
        assert find(f"{code}x") is None or f"{code}x" in codes


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("F331", "F33.1"),
        ("f33.1", "F33.1"),
        ("T391X2A", "T39.1X2A"),
        ("t39.1x2a", "T39.1X2A"),
        ("F33", "F33"),
        (" f-33 1", "F33.1"),
        ("MDD", None),
        ("296.32", None),
        ("F33.12345", None),
        ("", None),
    ],
)
def test_a_diagnosis_is_written_with_its_dot(said: str, code: str | None) -> None:
    assert diagnosis(said) == code


@pytest.mark.parametrize("name", sorted(LISTS))
def test_one_unknown_code_is_named_and_the_others_are_taken(name: str) -> None:
    good = {"problems": "depression", "diagnoses": "F33.1", "red_flags": "weapon", "external_levels": "iar_3"}
    body = {**REFERRAL, name: [MARK, good[name]]}
    new = taken(body)
    warned = {(each["where"], each["code"]) for each in json.loads(new.answer)["warnings"]}
    part = LISTS[name][0]
    assert (f"/{name}/0", f"unknown_{part}") in warned
    assert new.submitted.case.not_understood == (part,)
    assert good[name] in getattr(new.submitted.case, name)


@pytest.mark.parametrize("criterion", sorted(Criterion))
@pytest.mark.parametrize("strength", ["wish", "must"])
def test_a_sentence_in_place_of_a_wish_stays_in_intake(criterion: str, strength: str) -> None:
    wish = {"criterion": criterion, "values": [MARK, "zephyrine quackenbush"], "strength": strength}
    new = taken({**REFERRAL, "preferences": [wish]})
    must, community = strength == "must", criterion in COMMUNITY_CRITERIA
    unmet = [("not_understood",)] if must and community else []
    assert [wish.values for wish in new.submitted.case.wishes] == unmet, "nobody meets what nobody knows"
    asked = {"must"} if must else {"criterion"}
    if community:
        asked = {"community"}
    if criterion == "language":
        asked = {"language", "must"} if must else {"language"}
    assert set(new.submitted.case.not_understood) == asked
    assert "zephyrine" not in (new.submitted.model_dump_json() + new.answer.decode()).lower()


def test_a_warning_about_a_sheet_points_at_the_sheet_that_was_sent() -> None:
    odd = {"instrument": "gad7", "taken_on": "2026-03-01", "answers": [9] * 7}
    unknown = {"instrument": "phq8", "taken_on": "2026-03-01", "answers": [1] * 8}
    warned = json.loads(taken({**REFERRAL, "screenings": [unknown, odd]}).answer)["warnings"]
    assert {each["where"] for each in warned if each["code"] == "out_of_range"} == {
        f"/screenings/1/answers/{place}" for place in range(7)
    }


def test_the_same_request_has_the_same_fingerprint_and_another_has_another() -> None:
    def of(*flags: str) -> bytes:
        body = json.dumps({**REFERRAL, "red_flags": flags}).encode()
        received = receive(ReferralForm, body, rules=RULES, now=NOW)
        return canonical("submit", received.form, received.unread)

    assert of("Weapon", "x") == of("weapon", "x") != of("weapon", "y")


def test_a_patch_that_cannot_wait_is_read_although_it_is_not_quite_text() -> None:
    body = b'{"red_flags": ["overdose"], "notes": "\\ud800"}'
    assert read_patch(body, rules=RULES, now=NOW)["red_flags"] == ["overdose"]
    for quiet in (b'{"notes": "\\ud800"}', b"[]", b"{"):
        with pytest.raises(Problem):
            read_patch(quiet, rules=RULES, now=NOW)


def test_sheets_alone_are_read_the_same_way() -> None:
    sheet = {"instrument": "phq9", "taken_on": "2026-03-01", "answers": [0] * 8 + ["2"]}
    body = json.dumps({"screenings": [sheet, MARK], MARK: 1}).encode()
    received = receive_sheets(body, rules=RULES, now=NOW)
    assert received.verdict.safety == ("phq9.item9",)
    assert received.verdict.not_understood == ("form", "screening")
    with pytest.raises(Problem):
        receive_sheets(b'{"screenings": []}', rules=RULES, now=NOW)
