"""How often the rules run for one event: once, and once more for each chart that is another one."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.triage.domain.chart import EVERYTHING, NOTHING, Chart, Charts, Stated
from services.triage.domain.policy import Condition, Policy, Rule
from services.triage.domain.rules_decision import Reported, Withdrawn, decide
from services.triage.domain.state import TriageState
from shared.vocabulary import Urgency
from tests.unit.triage.samples import ASKED_AT, CALM, DAY, POLICY, chart, sheet

ONLY = Rule(
    id="only",
    when=(Condition(kind="red_flag", any_of=("overdose",)),),
    text="Only this.",
    source="test",
    status="to be confirmed by a clinician",
    raises_to=Urgency.EMERGENCY,
)
ONE_RULE: Policy = replace(POLICY, rules=(ONLY,), levels=(), team=())
NEW = TriageState(referral_id=UUID(int=1), region="north", clinic="clinic-1")
TWICE = (sheet("phq9", *CALM, on=DAY - timedelta(days=9)), sheet("phq9", *CALM))


class Counted(frozenset[str]):
    """Red flags that count how often a rule has looked at them."""

    looks: list[None]

    def intersection(self, *others: Iterable[object]) -> frozenset[str]:
        self.looks.append(None)
        return super().intersection(*others)


def counted(**changes: Any) -> tuple[Chart, list[None]]:
    flags = Counted({"overdose"})
    flags.looks = []
    return replace(chart(), red_flags=flags, **changes), flags.looks


def reported(charts: Charts, *, revision: int = 1, stated: Stated = EVERYTHING) -> Reported:
    return Reported(
        revision=revision,
        region="north",
        clinic="clinic-1",
        express=False,
        asked_at=ASKED_AT,
        charts=charts,
        stated=stated,
    )


@pytest.mark.parametrize(
    ("stated", "looks"),
    [
        (EVERYTHING, 1),
        (NOTHING, 1),
        (Stated(frozenset({"red_flags"})), 2),  # not_stated() leaves the flags out
    ],
)
def test_of_a_new_referral(stated: Stated, looks: int) -> None:
    whole, looked = counted()
    outcome = decide(reported(Charts(whole=whole), stated=stated), NEW, ONE_RULE, now=ASKED_AT)
    assert outcome.state.urgency is outcome.state.asks_for is Urgency.EMERGENCY
    assert len(looked) == looks


def test_of_a_referral_that_is_known() -> None:
    known = decide(reported(Charts(whole=chart())), NEW, ONE_RULE, now=ASKED_AT).state
    whole, looked = counted()
    outcome = decide(reported(Charts(whole=whole), revision=2), known, ONE_RULE, now=ASKED_AT)
    assert outcome.state.urgency is Urgency.EMERGENCY
    assert len(looked) == 1


def test_of_one_with_older_sheets_and_a_withheld_part() -> None:
    """The newest answers alone are another chart, and so is what the network may know, by both events."""
    whole, looked = counted(sheets=TWICE)
    shareable, shared = counted()
    asks = replace(ONE_RULE, rules=(replace(ONLY, asks_review=True),))
    outcome = decide(reported(Charts(whole=whole, shareable=shareable)), NEW, asks, now=ASKED_AT)
    assert len(outcome.published) == 2
    assert (len(looked), len(shared)) == (2, 1)


def test_a_revision_already_acted_on_changes_nothing() -> None:
    known = replace(NEW, revision=2)
    whole, looked = counted()
    outcome = decide(reported(Charts(whole=whole), revision=2), known, ONE_RULE, now=ASKED_AT)
    assert outcome.state is known and outcome.published == () and looked == []


def test_what_has_ended_stays_so() -> None:
    change = Withdrawn(revision=1, region="north", clinic="clinic-1", express=False, reason="gone")
    ended = decide(change, NEW, ONE_RULE, now=ASKED_AT).state
    assert ended.status == "ended"
    assert decide(reported(Charts(whole=chart()), revision=2), ended, ONE_RULE, now=ASKED_AT).state is ended
