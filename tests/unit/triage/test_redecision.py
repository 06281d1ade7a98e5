"""A stored referral decided again by newer rules: only ever raised, once, and never past what a clinician has
settled."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.triage.domain import clinician_decision
from services.triage.domain.case_mapping import chart_of
from services.triage.domain.clinician_decision import Word
from services.triage.domain.policy import Policy
from services.triage.domain.redecision import DECIDED_AGAIN, redecide, unseen
from services.triage.domain.rules_decision import decide, end
from services.triage.domain.state import Standing
from services.triage.domain.urgency import how_soon
from services.triage.policy.digest import DECIDES, ROOT, with_digest
from shared.events import Case, Consent, ReferralSubmitted, ReferralTriaged, ReviewRequested, Screening
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


def stored(policy: Policy, case: Case) -> Standing:
    """As an earlier version left it."""
    fact = ReferralSubmitted(
        event_id=new_id(),
        occurred_at=ASKED_AT,
        referral_id=UUID(int=1),
        revision=1,
        region="north",
        clinic="clinic-1",
        express=False,
        case=case,
    )
    new = Standing(referral_id=fact.referral_id, region=fact.region, clinic=fact.clinic)
    return decide(fact, new, policy, now=ASKED_AT).standing


def after_a_clinician(standing: Standing, policy: Policy, action: Any = "confirm") -> Standing:
    word = Word(action=action, seen=standing.decision, reason="assessed", urgency=Urgency.ROUTINE)
    return clinician_decision.decide(word, standing, policy, by="dr-grey", now=ASKED_AT).standing


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
    before = stored(older, case)
    before = after_a_clinician(before, older, word) if word else before
    again = redecide(before, POLICY, now=LATER, team_told=())
    after = again.outcome.standing
    assert before.urgency and before.respond_by and after.urgency and after.respond_by
    assert at_least_as_urgent(after.urgency, before.urgency)
    assert after.express >= before.express
    assert set(before.review.reasons if before.review else ()) <= set(
        after.review.reasons if after.review else ()
    )
    assert after.state in ("triaged", "held")
    if after.urgency is before.urgency:
        assert after.respond_by == before.respond_by
    else:
        assert again.raised and again.because
        assert (
            after.respond_by == LATER + POLICY.clocks[after.urgency] or after.respond_by <= before.respond_by
        )
    if not again.raised:
        assert after == replace(before, rules_digest=POLICY.digest, asks_for=after.asks_for)
    team = [fact.team for fact in again.outcome.said if isinstance(fact, ReferralTriaged)]
    second = redecide(after, POLICY, now=LATER, team_told=team[-1] if team else ("psychiatrist",))
    assert not second.raised
    assert second.outcome.standing == after


@given(OLDER, CASES)
def test_it_becomes_as_urgent_as_the_present_rules_ask(older: Policy, case: Case) -> None:
    before = stored(older, case)
    asks = how_soon(chart_of(case), POLICY, asked_at=LATER).urgency
    assert before.urgency is not None
    after = redecide(before, POLICY, now=LATER).outcome.standing
    assert after.urgency is more_urgent(asks, before.urgency)


@given(CASES, CONFIRMED)
def test_the_same_rules_raise_nothing(case: Case, word: str | None) -> None:
    before = stored(POLICY, case)
    before = after_a_clinician(before, POLICY, word) if word else before
    assert not redecide(before, POLICY, now=LATER).raised


@given(OLDER, CASES)
def test_decisions_are_numbered_on_and_keep_the_revision(older: Policy, case: Case) -> None:
    """Or readers would take them for old ones."""
    before = stored(older, case)
    again = redecide(before, POLICY, now=LATER, team_told=())
    numbers = [fact.decision for fact in again.outcome.said]
    assert numbers == list(range(before.decision + 1, before.decision + 1 + len(numbers)))
    assert {fact.revision for fact in again.outcome.said} <= {before.revision}


@given(CASES)
def test_what_has_ended_or_was_returned_is_left_alone(case: Case) -> None:
    known = stored(without(*RULES), case)
    for over in (end(known, "withdrawn", now=ASKED_AT).standing, replace(known, state="returned")):
        again = redecide(over, POLICY, now=LATER)
        assert not again.raised and again.outcome.standing == over


def test_a_crisis_calls_by_both_facts_and_says_why() -> None:
    before = stored(without("flag-act-or-intent"), case(red_flags=("recent_attempt",)))
    assert before.urgency is Urgency.ROUTINE and before.review is None
    again = redecide(before, POLICY, now=LATER)
    review, triaged = again.outcome.said
    assert isinstance(review, ReviewRequested) and isinstance(triaged, ReferralTriaged)
    assert (triaged.urgency, triaged.express, triaged.in_review) == (Urgency.VERY_URGENT, True, True)
    assert triaged.respond_by == LATER + POLICY.clocks[Urgency.VERY_URGENT]
    assert triaged.rules[-1] == DECIDED_AGAIN and DECIDED_AGAIN in review.reasons
    assert again.because == ("flag-act-or-intent",)
    assert again.outcome.basis and again.outcome.basis.digest == POLICY.digest


def test_what_a_clinician_settled_stays_settled_beside_a_new_finding() -> None:
    older = without("flag-act-or-intent")
    flags = case(red_flags=("recent_attempt", "suicidal_thoughts"))
    lowered = after_a_clinician(stored(older, flags), older, "lower")
    assert lowered.urgency is Urgency.ROUTINE
    again = redecide(lowered, POLICY, now=LATER)
    assert again.urgency is Urgency.VERY_URGENT and again.because == ("flag-act-or-intent",)
    review = again.outcome.standing.review
    assert review and [reason.rule for reason in review.reasons] == ["flag-act-or-intent", "decided-again"]


def test_a_raise_ends_the_wait_for_the_referrers_answer() -> None:
    older = without("flag-act-or-intent")
    known = stored(older, case(red_flags=("recent_attempt",)))
    word = Word(action="ask", seen=1, reason="missing_information", questions=("consent",))
    asked = clinician_decision.decide(word, known, older, by="dr-grey", now=LATER).standing
    assert asked.review and asked.review.asked
    review = redecide(asked, POLICY, now=LATER).outcome.standing.review
    assert review and review.asked is None
    assert review.due_at == review.review_by <= LATER + POLICY.clocks[Urgency.VERY_URGENT]


def test_what_cannot_wait_is_held_no_longer() -> None:
    no_consent = {"consent": Consent(share_with_network=False), "red_flags": ("recent_attempt",)}
    held = stored(without("flag-act-or-intent"), case(**no_consent))
    assert held.state == "held"
    again = redecide(held, POLICY, now=LATER)
    assert again.outcome.standing.state == "triaged"
    assert isinstance(again.outcome.said[-1], ReferralTriaged)


def test_a_raise_of_what_is_held_keeps_holding_it() -> None:
    no_consent = {"consent": Consent(share_with_network=False), "red_flags": ("suicidal_thoughts",)}
    held = stored(without("flag-same-day"), case(**no_consent))
    again = redecide(held, POLICY, now=LATER)
    (review,) = again.outcome.said
    assert isinstance(review, ReviewRequested) and review.holds and review.urgency is Urgency.URGENT


@pytest.mark.parametrize(
    ("told", "raised"), [((), True), (("therapist",), True), (("psychiatrist",), False), (None, False)]
)
def test_a_psychiatrist_who_joins_the_team_is_published(told: Any, raised: bool) -> None:
    before = stored(without(), case(problems=("adhd",)))
    again = redecide(before, POLICY, now=LATER, team_told=told)
    assert again.raised is raised
    if raised:
        (triaged,) = again.outcome.said
        assert isinstance(triaged, ReferralTriaged) and "psychiatrist" in triaged.team
        assert (triaged.urgency, triaged.respond_by) == (before.urgency, before.respond_by)


def test_a_clinician_settles_nothing_that_no_decision_has_said() -> None:
    before = stored(without("flag-act-or-intent"), case(red_flags=("recent_attempt",)))
    outcome = unseen(before, POLICY, now=LATER)
    assert outcome and outcome.standing.urgency is Urgency.VERY_URGENT
    assert unseen(outcome.standing, POLICY, now=LATER) is None
    assert unseen(stored(POLICY, case()), without("child"), now=LATER) is None


class TestDigest:
    def test_it_changes_with_every_rule_and_with_nothing_else(self) -> None:
        digests = {without(rule).digest for rule in RULES}
        assert len(digests) == len(RULES) and POLICY.digest not in digests
        assert without().digest == POLICY.digest == with_digest(POLICY).digest

    def test_what_decides_is_there_to_be_read(self) -> None:
        missing = {name for name in DECIDES if not (ROOT / name).exists()}
        assert missing <= {"shared/clinical"}


def test_rules_that_hold_no_longer_release_nobody() -> None:
    """Only a clinician ends a hold, unless it can wait no longer."""
    no_consent = {"consent": Consent(share_with_network=False), "red_flags": ("suicidal_thoughts",)}
    held = stored(without("flag-same-day"), case(**no_consent))
    again = redecide(held, without("no-consent"), now=LATER)
    (review,) = again.outcome.said
    assert isinstance(review, ReviewRequested) and review.holds
    assert again.outcome.standing.state == "held"
    assert redecide(held, without("no-consent", "flag-same-day"), now=LATER).outcome.standing.state == "held"
