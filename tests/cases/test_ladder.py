"""Whoever is on the team is told: called from urgent on, told by a notice below."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from services.notify.domain import wording
from shared.vocabulary import PROBLEMS, RED_FLAGS, Urgency
from tests.cases.pipeline import BASE, TODAY, Result, patched, submit

CASES: Final = json.loads(
    Path(__file__).with_name("ladder.json").read_text().replace('"today"', f'"{TODAY}"')
)
CALLED: Final = (Urgency.EMERGENCY, Urgency.VERY_URGENT, Urgency.URGENT)


def told(result: Result, audience: str) -> str | None:
    kinds = {notice.is_alert for notice in result.notices if notice.audience == audience}
    return ("alert" if True in kinds else "told") if kinds else None


def part(result: Result) -> str | None:
    texts = [notice.text for notice in result.notices if notice.audience == "primary_care"]
    return next((name for name, words in wording.PART.items() if any(words in t for t in texts)), None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_team_is_told(case: dict[str, Any]) -> None:
    result = submit(patched(case["patch"]))
    assert result.status == 202, result.answer
    assert told(result, "psychiatrist") == case["psychiatrist"]
    assert part(result) == case.get("primary_care")


@pytest.mark.parametrize(
    "held",
    [{"consent": {"share_with_network": False}}, {"client": {"birth_date": "2012-04-04"}}],
    ids=["no consent", "a minor without a guardian"],
)
def test_a_psychiatrist_on_the_team_does_not_wait_for_what_holds_matching(held: dict[str, Any]) -> None:
    result = submit(patched({"red_flags": ["mania_acute"]} | held))
    assert result.triaged is None and result.review and result.review.holds
    assert told(result, "psychiatrist") == "alert"


@pytest.mark.parametrize(
    "patch",
    [{"red_flags": [flag]} for flag in sorted(RED_FLAGS)] + [{"problems": [p]} for p in sorted(PROBLEMS)],
    ids=lambda patch: next(iter(patch.values()))[0],
)
def test_nobody_on_a_team_is_left_out(patch: dict[str, Any]) -> None:
    result = submit(patched(patch, BASE))
    triaged = result.triaged
    if triaged is None:  # it waits for a clinician, who is called
        assert result.calls("clinician")
        return
    on_team = "psychiatrist" in triaged.team
    if on_team:
        assert told(result, "psychiatrist") == ("alert" if triaged.urgency in CALLED else "told")
    elif triaged.urgency is Urgency.URGENT:
        assert told(result, "psychiatrist") is None
    assert (part(result) is not None) is ("primary_care" in triaged.team)
    clinic = " ".join(notice.text for notice in result.notices if notice.audience == "clinic")
    assert ("is being called" in clinic) is result.calls("psychiatrist")
