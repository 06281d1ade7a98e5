"""One value that nobody knows does not refuse a crisis."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.events import ReferralSubmitted
from shared.vocabulary import EXPRESS_RED_FLAGS
from tests.cases.pipeline import TODAY, patched, submit

FILE = Path(__file__).parent / "refused_whole.json"
CASES = json.loads(FILE.read_text().replace("TODAY", TODAY))


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_what_is_known_acts_and_what_is_not_is_named_and_reviewed(case: dict[str, Any]) -> None:
    right, result = case["right"], submit(patched(case["patch"]))
    assert result.status == 202, result.answer
    assert isinstance(result.fact, ReferralSubmitted)
    assert result.fact.express and result.urgency == right["urgency"]
    if right["because"]:
        assert result.answer["safety_advice"]["because"] == right["because"]
        assert result.answer["safety_advice"]["lines"]
    assert list(result.fact.case.not_understood) == right["not_understood"]
    assert set(right["warned"]) <= {warning["where"] for warning in result.answer["warnings"]}
    for name, value in right["case"].items():
        assert list(getattr(result.fact.case, name)) == value
    assert result.review is not None
    reasons = {reason.datum for reason in result.review.reasons}
    clinical = set(right["not_understood"]) - {"region", "payer", "language"}
    assert {f"not_understood={part}" for part in clinical} <= reasons
    if right["urgency"] == "emergency":
        assert result.calls("psychiatrist")


@pytest.mark.parametrize("flag", sorted(EXPRESS_RED_FLAGS))
@pytest.mark.parametrize("more", ["x", 5, None, {}], ids=["unknown", "number", "null", "object"])
def test_every_flag_that_cannot_wait_acts_beside_one_that_cannot_be_read(flag: str, more: Any) -> None:
    alone, beside = (submit(patched({"red_flags": flags})) for flags in ([flag], [flag, more]))
    assert beside.status == 202 and beside.urgency == alone.urgency
    assert beside.answer["safety_advice"] == alone.answer["safety_advice"]
    assert isinstance(beside.fact, ReferralSubmitted) and beside.fact.case.not_understood == ("red_flag",)


@pytest.mark.parametrize("urgency", ["stat", "crisis"])
def test_a_priority_that_cannot_wait_is_a_signal_too(urgency: str) -> None:
    result = submit(patched({"requested_priority": urgency, "client": {"birth_date": "yesterday"}}))
    assert (result.status, result.urgency) == (202, "emergency")
    assert result.calls("psychiatrist")


def test_without_a_name_it_is_refused_and_says_so_first() -> None:
    result = submit(patched({"red_flags": ["overdose"], "client": {"name": None}}))
    assert result.status == 422 and result.fact is None
    assert result.answer["detail"].startswith("NOT taken; nobody has been told.")
    assert result.answer["safety_advice"]["lines"]


def test_without_a_signal_other_values_are_refused_as_before() -> None:
    for patch in ({"notes": 5}, {"client": {"birth_date": "x"}}, {"nickname": "x"}, {"consent": None}):
        result = submit(patched(patch))
        assert result.status == 422 and "safety_advice" not in result.answer
        assert result.answer["detail"].startswith("NOT taken; nobody has been told.")
