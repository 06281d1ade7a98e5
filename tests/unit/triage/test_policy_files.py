"""Three policies ship; one may extend another, and says exactly what it changes."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from services.triage.domain.business_days import BusinessDays
from services.triage.domain.policy import Policy
from services.triage.policy.checks import POLICIES, check, load
from services.triage.policy.load import PolicyRefused
from shared.vocabulary import Priority, Urgency
from tests.unit.triage.samples import ASKED_AT, POLICY, chart, decided, sheet

UK = load(POLICIES / "uk-response-times.toml")
US = load(POLICIES / "us-access-standards.toml")
US_TEXT = (POLICIES / "us-access-standards.toml").read_text()


@pytest.mark.parametrize("policy", [POLICY, UK, US], ids=lambda policy: policy.name)
def test_each_policy_that_ships_is_whole(policy: Policy) -> None:
    assert list(check(policy)) == []
    assert set(policy.clocks) == set(Urgency)
    assert all(rule.source and rule.status for rule in policy.rules)
    assert all(rule.source and rule.status for rule in policy.levels)
    assert all(rule.source and rule.status for rule in policy.team)


def test_urgent_means_what_the_network_says() -> None:
    asked = chart(requested_priority=Priority.URGENT)
    hours = {p.name: decided(asked, policy=p).respond_by - ASKED_AT for p in (POLICY, UK, US)}
    assert hours["uk-response-times"] == timedelta(hours=24)
    assert hours["us-access-standards"] == timedelta(hours=48)


def test_routine_in_business_days() -> None:
    """Asked on a Monday in March; ten working days later, at five in the afternoon in New York."""
    routine = decided(chart(), policy=US)
    assert routine.urgency is Urgency.ROUTINE
    assert routine.respond_by.isoformat() == "2026-03-16T21:00:00+00:00"


def test_a_safety_answer_is_looked_at_within_a_day_whatever_the_clock() -> None:
    for policy in (POLICY, UK, US):
        verdict = decided(chart(sheets=(sheet("phq9", *[0] * 8, 1),)), policy=policy)
        assert verdict.review_by is not None and verdict.review_by <= ASKED_AT + timedelta(hours=24)


def test_what_is_not_said_is_taken_over_and_what_is_said_is_in_its_place() -> None:
    ids = [rule.id for rule in POLICY.rules]
    assert [rule.id for rule in US.rules] == ids
    assert [rule.id for rule in UK.rules] == [*ids, "eating-disorder-young", "first-episode-psychosis"]
    own = {rule.id for rule, base in zip(US.rules, POLICY.rules, strict=True) if rule != base}
    assert own == {"flag-emergency", "flag-same-day", "flag-perinatal", "flag-after-discharge"}
    assert {rule.id for rule in US.levels if rule not in POLICY.levels} == {
        "level-trauma-screen",
        "level-trauma-screen-women",
        "level-perinatal-depression",
    }
    assert (US.team, US.reasons) == (POLICY.team, POLICY.reasons)
    assert isinstance(US.clocks[Urgency.ROUTINE], BusinessDays)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda t: t.replace('extends = "network-default"', 'extends = "nobody"'), "cannot be read"),
        (lambda t: t.replace('extends = "network-default"', 'extends = "../x"'), "give the name"),
        (lambda t: t.replace('extends = "network-default"', 'extends = "uk-response-times"'),
         "extends another policy itself"),
        (lambda t: t.replace('extends_version = "2026-11-27"', 'extends_version = "2025-01"'),
         "network-default is at version 2026-11-27"),
        (lambda t: t.replace('id = "flag-emergency"', 'id = "flag-emergncy"'), "replaces nothing"),
        (lambda t: t.replace('id = "flag-perinatal"', 'id = "flag-emergency"'), "replaces nothing"),
        (lambda t: t.replace("replaces = true\n", "", 1), "say `replaces = true`"),
        (lambda t: t.replace('version = "2026-11-27"\n', "", 1), "version: Field required"),
        (lambda t: t.replace('zone = "America/New_York"', 'zone = "America/Newyork"'), "not a time zone"),
        (lambda t: t.replace("holidays_until = 2027-12-31", "holidays_until = 2026-12-31"),
         "is after holidays_until"),
        (lambda t: t.replace("business_days = 10", "business_days = 10, hours = 1"), "a clock needs"),
        (lambda t: t.replace("business_days = 20", "business_days = 9"), "preventive must be longer"),
        (lambda t: t.replace("hours = 48", "days = 8"), "soon must be longer than urgent"),
        (lambda t: t.replace("review_at_latest = { hours = 24 }", "review_at_latest = { hours = 25 }"),
         "review_at_latest"),
        (lambda t: t + '\n[[rule]]\nid = "x"\nraises_to = "soonish"\n', "rule.x.raises_to"),
    ],
)  # fmt: skip
def test_an_extension_that_does_not_fit_is_refused(
    tmp_path: Path, change: Callable[[str], str], fault: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(change(US_TEXT))
    with pytest.raises(PolicyRefused) as refused:
        load(file)
    assert any(fault in each for each in refused.value.faults) or fault in str(refused.value)


def test_business_days_without_a_calendar_are_refused(tmp_path: Path) -> None:
    head, _, rest = US_TEXT.partition("[calendar]")
    file = tmp_path / "mine.toml"
    file.write_text(head + "[clocks]" + rest.partition("[clocks]")[2])
    with pytest.raises(PolicyRefused, match=r"business_days need a \[calendar\]"):
        load(file)
