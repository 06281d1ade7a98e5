"""Words of urgency, as referrers write them."""

import dataclasses
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.priorities import meaning
from shared.events import ReferralSubmitted
from shared.network import Network
from shared.vocabulary import Priority, Urgency
from tests.cases.pipeline import RULES, patched, submit

CASES = json.loads((Path(__file__).parent / "priorities.json").read_text())
ORDER = tuple(Urgency)
ASKED = {
    Priority.STAT: Urgency.EMERGENCY,
    Priority.ASAP: Urgency.VERY_URGENT,
    Priority.URGENT: Urgency.URGENT,
    Priority.UNKNOWN: Urgency.SOON,
    Priority.ROUTINE: Urgency.ROUTINE,
}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_word_means_what_it_says_and_is_never_quoted(case: dict[str, Any]) -> None:
    said, right = case["input"], case["right"]
    result = submit(patched({"requested_priority": said}))
    assert result.status == 202
    assert isinstance(result.fact, ReferralSubmitted)
    assert result.fact.case.requested_priority == right["priority"]
    assert (result.urgency, result.fact.express) == (right["urgency"], right["express"])
    assert (result.review is not None) is right["review"]
    assert ("requested_priority" in result.fact.case.not_understood) is right["not_understood"]
    if right["urgency"] == "emergency":
        assert result.calls("psychiatrist")
    for word in (said or "").split():
        if len(word) > 6 and word.casefold() not in {*Priority, *Urgency}:
            assert word not in result.fact.model_dump_json()
            assert word not in json.dumps(result.answer["warnings"])


@pytest.mark.parametrize("word", [word for word in Priority if word is not Priority.UNKNOWN])
def test_fhirs_own_words_need_no_warning(word: str) -> None:
    assert not {"priority_read", "priority_unknown"} & submit(patched({"requested_priority": word})).warnings


LEVELS = st.sampled_from(ORDER)
BETWEEN = st.sampled_from(["_", "-", " ", "", ". "])
AROUND = st.sampled_from(["", " ", "!", "!!", ".", "*", "\t"])


@given(LEVELS, BETWEEN, AROUND, st.sampled_from([str.upper, str.lower, str.title]))
def test_a_level_of_the_network_in_any_spelling_is_never_answered_later(
    level: Urgency, between: str, around: str, case: Any
) -> None:
    found = meaning(around + case(level.replace("_", between)) + around, {})
    assert found.understood
    assert ORDER.index(ASKED[found.priority]) <= ORDER.index(level)
    if level in (Urgency.ROUTINE, Urgency.PREVENTIVE):
        assert found.priority is Priority.ROUTINE


@given(st.sampled_from(["not", "non", "no", "not so", "hardly"]), LEVELS, BETWEEN)
def test_a_negated_word_is_not_the_word(no: str, level: Urgency, between: str) -> None:
    found = meaning(f"{no} {level.replace('_', between)}", {})
    if found.priority is Priority.ROUTINE:
        assert level is Urgency.URGENT and no in ("not", "non", "no")
    elif no != "hardly":
        assert found.priority is Priority.UNKNOWN


LOWER = frozenset(
    [
        "routine",
        "preventive",
        "preventative",
        "elective",
        "nonurgent",
        "noturgent",
        "nourgency",
        "normal",
        "low",
        "lowpriority",
        "normalpriority",
        "routinepriority",
        "standard",
        "rutina",
        "rutinario",
        "rutinaria",
        "derutina",
        "nourgente",
        "preventivo",
        "preventiva",
        "electivo",
        "electiva",
        "baja",
        "prioridadbaja",
    ]
)
"""The closed list of words that mean routine, by their letters alone."""


@given(st.text(max_size=30) | st.lists(st.sampled_from(sorted(LOWER)), max_size=3).map(" ".join))
def test_no_text_becomes_routine_unless_it_is_on_the_list(said: str) -> None:
    if meaning(said, {}).priority is Priority.ROUTINE:
        plain = unicodedata.normalize("NFKD", said.casefold())
        assert "".join(each for each in plain if each.isalnum()) in LOWER


def test_the_words_of_the_network_come_first() -> None:
    own = Network(priorities={"Code Red": Priority.STAT, "amber": Priority.URGENT, "urgent": Priority.ASAP})
    rules = dataclasses.replace(RULES, network=own)
    for said, right in (("code-red!", "emergency"), ("AMBER", "urgent"), ("urgent", "very_urgent")):
        assert submit(patched({"requested_priority": said}), rules=rules).urgency == right


@pytest.mark.parametrize(("said", "urgency"), [(911, "emergency"), (3, "urgent"), ("x" * 300, "urgent")])
def test_what_is_no_word_is_reviewed_as_fast_as_urgent(said: Any, urgency: str) -> None:
    result = submit(patched({"requested_priority": said}))
    assert (result.status, result.urgency) == (202, urgency) and result.review
