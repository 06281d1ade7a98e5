"""A stored referral decided again by newer rules: only ever raised, once, and never past what a clinician has
settled."""

import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.triage.case_mapping import chart_of, charts_of
from services.triage.db.referrals import Referral
from services.triage.domain import clinician_decision
from services.triage.domain.clinician_decision import Command, OpenReferral, carry_out
from services.triage.domain.outcome import Outcome, ReviewNeeded, Triaged
from services.triage.domain.policy import Policy
from services.triage.domain.redecision import DECIDED_AGAIN, Redecided, redecide, unseen
from services.triage.domain.rules_decision import end
from services.triage.domain.state import TriageState
from services.triage.domain.urgency import assess_urgency, evaluate
from services.triage.handlers.intake import decide
from services.triage.outgoing_events import decision_of, fired_rules
from services.triage.policy.digest import DECIDES, ROOT, with_digest
from shared.events import (
    Case,
    Consent,
    ReferralSubmitted,
    ReferralTriaged,
    ReviewRequested,
    Screening,
    TriageFact,
)
from shared.ids import new_id
from shared.vocabulary import PROBLEMS, RED_FLAGS, Priority, Sex, Urgency, at_least_as_urgent, more_urgent
from tests.unit.triage.samples import ASKED_AT, CALM, DAY, POLICY
from tests.unit.triage.test_urgency_properties import raw_sheets

LATER = ASKED_AT + timedelta(days=20)
CALM_SHEET = Screening(instrument="phq9", taken_on=DAY, answers=CALM)


def without(*rules: str, policy: Policy = POLICY) -> Policy:
    """The policy as it was before it had these rules."""
    return with_digest(replace(policy, rules=tuple(r for r in policy.rules if r.id not in rules)))


def case(**changes: Any) -> Case:
    boring: dict[str, Any] = {
        "as_of": DAY,
        "age": 40,
        "requested_priority": Priority.ROUTINE,
        "problems": ("depression",),
        "screenings": (CALM_SHEET,),
        "consent": Consent(share_with_network=True),
    }
    return Case(**boring | changes)


def stored(policy: Policy, case: Case) -> Referral:
    """As an earlier version left it."""
    event = ReferralSubmitted(
        event_id=new_id(),
        occurred_at=ASKED_AT,
        referral_id=UUID(int=1),
        revision=1,
        region="north",
        clinic="clinic-1",
        express=False,
        case=case,
    )
    new = TriageState(referral_id=event.referral_id, region=event.region, clinic=event.clinic)
    return decide(event, Referral(new), policy, now=ASKED_AT).referral


def after_a_clinician(referral: Referral, policy: Policy, action: Any = "confirm") -> Referral:
    state, case = referral.state, referral.case
    assert case is not None
    command = Command(action=action, seen=state.decision, reason="assessed", urgency=Urgency.ROUTINE)
    return Referral(carried_out(command, state, case, policy).state, case)


def carried_out(
    command: Command, state: TriageState, case: Case, policy: Policy, *, now: datetime = ASKED_AT
) -> Outcome:
    """Whether or not it fits."""
    assert state.before is not None
    charts = charts_of(case)
    referral = OpenReferral(
        state=state,
        current=state.before,
        charts=charts,
        evaluation=evaluate(charts.whole, policy.rules),
    )
    return carry_out(command, referral, policy, by="dr-grey", now=now)


def again(referral: Referral, policy: Policy, *, team_told: Any = None) -> Redecided:
    assert referral.case is not None
    return redecide(referral.state, charts_of(referral.case), policy, now=LATER, team_told=team_told)


def events(referral: Referral, redecided: Redecided, policy: Policy = POLICY) -> tuple[TriageFact, ...]:
    return decision_of(redecided.outcome, referral.case, policy, now=LATER).events


RULES = [rule.id for rule in POLICY.rules]
CASES = st.builds(
    case,
    age=st.sampled_from([None, 9, 15, 40, 70]),
    sex=st.sampled_from(Sex),
    perinatal=st.sampled_from([None, True]),
    guardian=st.sampled_from(["present", "absent", "not_needed"]),
    requested_priority=st.sampled_from(Priority),
    problems=st.lists(st.sampled_from(sorted(PROBLEMS)), max_size=3, unique=True).map(tuple),
    diagnoses=st.lists(
        st.sampled_from(["F32.1", "R45.851", "T14.91XA", "F05", "T39.1X2A"]), max_size=2, unique=True
    ).map(tuple),
    red_flags=st.lists(st.sampled_from(sorted(RED_FLAGS)), max_size=2, unique=True).map(tuple),
    screenings=st.lists(
        raw_sheets().map(lambda raw: Screening(instrument=raw[0], answers=raw[1], taken_on=raw[2])),
        max_size=2,
    ).map(tuple),
    past_attempt=st.sampled_from([None, True]),
    consent=st.builds(Consent, share_with_network=st.booleans(), share_substance_use=st.booleans()),
)
OLDER = st.lists(st.sampled_from(RULES), max_size=len(RULES), unique=True).map(lambda ids: without(*ids))
CONFIRMED = st.sampled_from([None, "confirm", "lower"])


@given(OLDER, CASES, CONFIRMED)
def test_deciding_again_never_lowers_and_the_second_time_changes_nothing(
    older: Policy, case: Case, word: str | None
) -> None:
    referral = stored(older, case)
    referral = after_a_clinician(referral, older, word) if word else referral
    redecided = again(referral, POLICY, team_told=())
    before, after = referral.state, redecided.outcome.state
    assert before.urgency and before.respond_by and after.urgency and after.respond_by
    assert at_least_as_urgent(after.urgency, before.urgency)
    assert after.express >= before.express
    assert set(before.review.reasons if before.review else ()) <= set(
        after.review.reasons if after.review else ()
    )
    assert after.status in ("triaged", "held")
    if after.urgency is before.urgency:
        assert after.respond_by == before.respond_by
    else:
        assert redecided.raised and redecided.because
        assert (
            after.respond_by == LATER + POLICY.clocks[after.urgency] or after.respond_by <= before.respond_by
        )
    if not redecided.raised:
        assert after == replace(before, rules_digest=POLICY.digest, asks_for=after.asks_for)
    team = [event.team for event in events(referral, redecided) if isinstance(event, ReferralTriaged)]
    second = again(Referral(after, case), POLICY, team_told=team[-1] if team else ("psychiatrist",))
    assert not second.raised
    assert second.outcome.state == after


@given(OLDER, CASES)
def test_it_becomes_as_urgent_as_the_present_rules_ask(older: Policy, case: Case) -> None:
    before = stored(older, case)
    asks = assess_urgency(chart_of(case), POLICY, asked_at=LATER).urgency
    assert before.state.urgency is not None
    assert again(before, POLICY).urgency is more_urgent(asks, before.state.urgency)


@given(CASES, CONFIRMED)
def test_the_same_rules_raise_nothing(case: Case, word: str | None) -> None:
    before = stored(POLICY, case)
    before = after_a_clinician(before, POLICY, word) if word else before
    assert not again(before, POLICY).raised


@given(OLDER, CASES)
def test_decisions_are_numbered_on_and_keep_the_revision(older: Policy, case: Case) -> None:
    """Or readers would take them for old ones."""
    before = stored(older, case)
    published = events(before, again(before, POLICY, team_told=()))
    first = before.state.decision + 1
    assert [event.decision for event in published] == list(range(first, first + len(published)))
    assert {event.revision for event in published} <= {before.state.revision}


@given(CASES)
def test_what_has_ended_or_was_returned_is_left_alone(case: Case) -> None:
    known = stored(without(*RULES), case)
    for over in (end(known.state, "withdrawn").state, replace(known.state, status="returned")):
        redecided = again(Referral(over, case), POLICY)
        assert not redecided.raised and redecided.outcome.state == over


def test_a_crisis_calls_by_both_facts_and_says_why() -> None:
    before = stored(without("flag-act-or-intent"), case(red_flags=("recent_attempt",)))
    assert before.state.urgency is Urgency.ROUTINE and before.state.review is None
    redecided = again(before, POLICY)
    review, triaged = events(before, redecided)
    assert isinstance(review, ReviewRequested) and isinstance(triaged, ReferralTriaged)
    assert (triaged.urgency, triaged.express, triaged.in_review) == (Urgency.VERY_URGENT, True, True)
    assert triaged.respond_by == LATER + POLICY.clocks[Urgency.VERY_URGENT]
    (decided_again,) = fired_rules((DECIDED_AGAIN,))
    assert triaged.rules[-1] == decided_again and decided_again in review.reasons
    assert redecided.because == ("flag-act-or-intent",)
    assert redecided.outcome.basis and redecided.outcome.basis.digest == POLICY.digest


def test_what_a_clinician_settled_stays_settled_beside_a_new_finding() -> None:
    older = without("flag-act-or-intent")
    flags = case(red_flags=("recent_attempt", "suicidal_thoughts"))
    lowered = after_a_clinician(stored(older, flags), older, "lower")
    assert lowered.state.urgency is Urgency.ROUTINE
    redecided = again(lowered, POLICY)
    assert redecided.urgency is Urgency.VERY_URGENT and redecided.because == ("flag-act-or-intent",)
    review = redecided.outcome.state.review
    assert review and [reason.rule for reason in review.reasons] == ["flag-act-or-intent", "decided-again"]


def test_a_raise_ends_the_wait_for_the_referrers_answer() -> None:
    older, attempt = without("flag-act-or-intent"), case(red_flags=("recent_attempt",))
    command = Command(action="ask", seen=1, reason="missing_information", questions=("consent",))
    asked = carried_out(command, stored(older, attempt).state, attempt, older, now=LATER).state
    assert asked.review and asked.review.asked
    review = again(Referral(asked, attempt), POLICY).outcome.state.review
    assert review and review.asked is None
    assert review.due_at == review.review_by <= LATER + POLICY.clocks[Urgency.VERY_URGENT]


def test_what_cannot_wait_is_held_no_longer() -> None:
    no_consent = {"consent": Consent(share_with_network=False), "red_flags": ("recent_attempt",)}
    held = stored(without("flag-act-or-intent"), case(**no_consent))
    assert held.state.status == "held"
    redecided = again(held, POLICY)
    assert redecided.outcome.state.status == "triaged"
    assert isinstance(events(held, redecided)[-1], ReferralTriaged)


def test_a_raise_of_what_is_held_keeps_holding_it() -> None:
    no_consent = {"consent": Consent(share_with_network=False), "red_flags": ("suicidal_thoughts",)}
    held = stored(without("flag-same-day"), case(**no_consent))
    (review,) = events(held, again(held, POLICY))
    assert isinstance(review, ReviewRequested) and review.holds and review.urgency is Urgency.URGENT


@pytest.mark.parametrize(
    ("told", "raised"), [((), True), (("therapist",), True), (("psychiatrist",), False), (None, False)]
)
def test_a_psychiatrist_who_joins_the_team_is_published(told: Any, raised: bool) -> None:
    before = stored(without(), case(problems=("adhd",)))
    redecided = again(before, POLICY, team_told=told)
    assert redecided.raised is raised
    if raised:
        (triaged,) = events(before, redecided)
        assert isinstance(triaged, ReferralTriaged) and "psychiatrist" in triaged.team
        assert (triaged.urgency, triaged.respond_by) == (before.state.urgency, before.state.respond_by)


def test_a_clinician_settles_nothing_that_no_decision_has_said() -> None:
    def found(state: TriageState, case: Case, policy: Policy = POLICY) -> Outcome | None:
        charts = charts_of(case)
        return unseen(evaluate(charts.whole, policy.rules), charts, state, policy, now=LATER)

    attempt = case(red_flags=("recent_attempt",))
    outcome = found(stored(without("flag-act-or-intent"), attempt).state, attempt)
    assert outcome and outcome.state.urgency is Urgency.VERY_URGENT
    assert found(outcome.state, attempt) is None
    assert found(stored(POLICY, case()).state, case(), without("child")) is None


def test_the_refused_command_of_a_clinician_keeps_what_newer_rules_raised() -> None:
    attempt = case(red_flags=("recent_attempt",))
    state = stored(without("flag-act-or-intent"), attempt).state
    command = Command(action="confirm", seen=state.decision, reason="assessed")
    outcome = clinician_decision.decide(command, state, charts_of(attempt), POLICY, by="dr-grey", now=LATER)
    assert outcome.refusal and outcome.refusal.code == "seen_is_old"
    assert outcome.state.urgency is Urgency.VERY_URGENT and not outcome.state.by_clinician
    assert [type(one) for one in outcome.published] == [ReviewNeeded, Triaged]


class TestDigest:
    def test_it_changes_with_every_rule_and_with_nothing_else(self) -> None:
        digests = {without(rule).digest for rule in RULES}
        assert len(digests) == len(RULES) and POLICY.digest not in digests
        assert without().digest == POLICY.digest == with_digest(POLICY).digest

    def test_what_decides_is_there_to_be_read(self) -> None:
        assert [name for name in DECIDES if not (ROOT / name).exists()] == []

    def test_every_module_that_a_decision_imports_decides(self) -> None:
        """Of services and shared: what is not listed would change decisions under the same digest."""
        script = """import sys
import services.triage.domain.rules_decision, services.triage.domain.clinician_decision
import services.triage.domain.redecision
print(*(m.__file__ for n, m in sys.modules.items() if n.startswith(("services.", "shared."))), sep="\\n")"""
        printed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
        loaded = {Path(line) for line in printed.stdout.decode().split()}
        listed = {path for name in DECIDES for path in (ROOT / name, *(ROOT / name).rglob("*"))}
        assert {path for path in loaded - listed if path.name != "__init__.py"} == set()


def test_rules_that_hold_no_longer_release_nobody() -> None:
    """Only a clinician ends a hold, unless it can wait no longer."""
    no_consent = {"consent": Consent(share_with_network=False), "red_flags": ("suicidal_thoughts",)}
    held = stored(without("flag-same-day"), case(**no_consent))
    policy = without("no-consent")
    redecided = again(held, policy)
    (review,) = events(held, redecided, policy)
    assert isinstance(review, ReviewRequested) and review.holds
    assert redecided.outcome.state.status == "held"
    assert again(held, without("no-consent", "flag-same-day")).outcome.state.status == "held"
