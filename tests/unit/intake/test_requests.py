"""Whatever is sent: it is taken, or it is answered with what to mend, and never with what was said."""

import base64
import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.api.parsing import read
from services.intake.api.preparation import prepare
from services.intake.api.request_examples import REFERRAL
from services.intake.api.requests import ReferralForm
from services.intake.api.rules import Rules
from services.intake.db.cipher import Keyring
from services.intake.policy import DEFAULT, load
from shared.web.problems import Problem

NOW = datetime(2025, 3, 4, tzinfo=UTC)
RULES = Rules(policy=load(DEFAULT), keyring=Keyring.parse("k1:" + base64.b64encode(b"1" * 32).decode()))
MARK = "Zephyrine Quackenbush 555-0173"

marked = st.sampled_from([MARK, MARK + "\x00", MARK + "\ud800", [MARK], {MARK: MARK}, {"name": [MARK]}])
anything: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.just("") | st.just([]) | st.just({}) | marked
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to everything in a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for name, each in inside for place in places(each, (*at, name)))]


PLACES = places(REFERRAL)


def put(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    changed = deepcopy(document)
    inner = changed
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return changed


def send(body: bytes) -> dict[str, Any] | Problem:
    """What is stored in clear and announced, or the refusal."""
    try:
        form = read(ReferralForm, body, now=NOW)
        new = prepare(form, rules=RULES, clinic="clinic-1", key=None, traceparent=None, now=NOW)
    except Problem as problem:
        return problem
    return {"fact": new.submitted.model_dump_json(), "answer": new.answer.decode()}


@settings(max_examples=400)
@given(st.sampled_from(PLACES), anything)
def test_anything_anywhere_is_taken_or_named_and_never_quoted(place: tuple[Any, ...], value: Any) -> None:
    result = send(json.dumps(put(REFERRAL, place, value)).encode())
    if isinstance(result, Problem):
        assert result.status in (400, 422)
        assert result.status == 400 or result.faults
        told = json.dumps(result.body())
    else:
        told = json.dumps(result)
        assert "\x00" not in told and "\\ud800" not in told and "\\u0000" not in told
    assert "Zephyrine" not in told and "555-0173" not in told


def test_a_sentence_in_place_of_a_fields_name_is_not_told_back_wherever_it_stands() -> None:
    for place in PLACES:
        inner = REFERRAL
        for name in place:
            inner = inner[name]
        if isinstance(inner, dict):
            result = send(json.dumps(put(REFERRAL, place, {**inner, MARK: 1, "typo": 1})).encode())
            assert isinstance(result, Problem)
            where = {fault.where.rpartition("/")[2] for fault in result.faults}
            assert where == {"(unreadable name)", "typo"}


@given(st.binary(max_size=60))
def test_any_bytes_are_answered(body: bytes) -> None:
    assert isinstance(send(body), Problem)


@given(st.recursive(anything, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)))
def test_any_document_is_answered(document: Any) -> None:
    result = send(json.dumps(document).encode())
    assert isinstance(result, Problem) and "Zephyrine" not in json.dumps(result.body())
