"""Everything that the rules will not settle goes to a person, under every policy that ships."""

from typing import Any

import pytest

from services.triage.domain.chart import Chart
from services.triage.domain.policy import Policy
from services.triage.policy.checks import POLICIES, load
from shared.vocabulary import Priority
from tests.unit.triage.samples import CALM, chart, decided, sheet

SHIPPED = [load(path) for path in sorted(POLICIES.glob("*.toml")) if path.name != "indications.toml"]
each_policy = pytest.mark.parametrize("policy", SHIPPED, ids=lambda policy: policy.name)

REASONS: list[tuple[str, dict[str, Any], str, bool]] = [
    ("a safety answer is missing",
     {"sheets": (sheet("phq9", *CALM[:8], None),)}, "safety-not-assessed", False),
    ("a safety answer was refused",
     {"sheets": (sheet("phq9", *CALM[:8], "refused"),)}, "safety-not-assessed", False),
    ("nobody knows the safety answer",
     {"sheets": (sheet("phq9", *CALM[:8], "unknown"),)}, "safety-not-assessed", False),
    ("no safety question was asked at all", {"sheets": ()}, "no-safety-question", False),
    ("a safety answer contradicts the one that opens it",
     {"sheets": (sheet("cssrs", 0, 0, 1, 0, 0, 0),)}, "contradictory-sheet", False),
    ("two instruments disagree about safety",
     {"sheets": (sheet("phq9", *CALM), sheet("cssrs", 1, 1, 0, 0, 0, 0))}, "safety-conflict", False),
    ("the priority is unknown", {"requested_priority": Priority.UNKNOWN}, "asked-unknown", False),
    ("a minor without a guardian", {"age": 15, "guardian": "absent"}, "minor-without-guardian", True),
    ("a minor of whose guardian nothing is said", {"age": 15}, "minor-guardian-unclear", False),
    ("no consent", {"shares_with_network": False}, "no-consent", True),
    ("a minor without consent",
     {"age": 15, "guardian": "present", "shares_with_network": False}, "no-consent", True),
    ("words that the referrer wants to be read", {"read_notes": 1}, "notes-to-be-read", False),
    ("the age is unknown", {"age": None}, "age-unknown", False),
]  # fmt: skip


@each_policy
@pytest.mark.parametrize(("changes", "rule", "holds"), [r[1:] for r in REASONS], ids=[r[0] for r in REASONS])
def test_it_goes_to_a_person(policy: Policy, changes: dict[str, Any], rule: str, holds: bool) -> None:
    verdict = decided(chart(**changes), policy=policy)
    assert rule in {finding.rule for finding in verdict.reviews}
    assert verdict.review_by is not None
    assert verdict.holds is holds


@each_policy
def test_without_any_of_it_nobody_has_to_look(policy: Policy) -> None:
    verdict = decided(chart(), policy=policy)
    assert (verdict.reviews, verdict.review_by, verdict.holds) == ((), None, False)


@each_policy
def test_words_do_not_raise_by_themselves(policy: Policy) -> None:
    """What they say is for a person to weigh."""
    assert decided(chart(read_notes=1), policy=policy).urgency is decided(chart(), policy=policy).urgency


def test_words_that_were_changed_are_news() -> None:
    """Else a clinician who has read the first note would never hear of the second."""
    policy = SHIPPED[0]

    def told(case: Chart) -> set[str]:
        return {finding.datum for finding in decided(case, policy=policy).reviews}

    assert told(chart(read_notes=1)) != told(chart(read_notes=2))
