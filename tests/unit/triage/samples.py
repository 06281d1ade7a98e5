"""Charts with the boring fields filled in."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from services.triage.domain.chart import NOTHING, Chart, Sheet, Stated
from services.triage.domain.policy import Policy
from services.triage.domain.urgency import Before, Verdict, assess_urgency
from services.triage.policy.checks import POLICIES, load
from shared.instruments import Answer, read
from shared.vocabulary import Priority, Urgency

POLICY: Policy = load(POLICIES / "network-default.toml")
ASKED_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = date(2026, 3, 1)

CALM = (0,) * 9
"""A PHQ-9 answered with zero throughout."""


def sheet(instrument: str, *answers: Answer, on: date = DAY, stated_total: int | None = None) -> Sheet:
    return Sheet(on, read(instrument, answers, stated_total=stated_total))


CHART = Chart(
    age=40,
    guardian="not_needed",
    requested_priority=Priority.ROUTINE,
    problems=frozenset({"depression"}),
    sheets=(sheet("phq9", *CALM),),
)
"""An adult with depression, routine, screened, nothing positive: routine and no review."""


def chart(**changes: Any) -> Chart:
    for name in ("problems", "diagnoses", "red_flags"):
        if name in changes:
            changes[name] = frozenset(changes[name])
    return replace(CHART, **changes)


def decided(
    case: Chart, before: Before | None = None, policy: Policy = POLICY, stated: Stated = NOTHING
) -> Verdict:
    return assess_urgency(case, policy, asked_at=ASKED_AT, before=before, stated=stated)


def rank(urgency: Urgency) -> int:
    """Higher is more urgent."""
    return -list(Urgency).index(urgency)
