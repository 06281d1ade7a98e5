"""Without the consent for it the substance-use part stays in triage; the rest, and the urgency, go on."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from services.triage.case_mapping import shareable_part
from services.triage.db.referrals import Decision, Referral
from services.triage.domain.consent import NOT_SHARED
from services.triage.domain.state import TriageState
from services.triage.handlers.intake import decide
from services.triage.outgoing_events import fired_rules
from services.triage.policy.checks import check
from shared.events import (
    Case,
    Consent,
    PastTreatment,
    ReferralTriaged,
    ReviewRequested,
    Screening,
    TriageFact,
    Wish,
)
from shared.ids import now
from shared.vocabulary import Urgency
from tests.integration.triage.support import CALM_SHEET, CaseFact, case, fact
from tests.unit.triage.samples import DAY, POLICY

NO = Consent(share_with_network=True, share_substance_use=False)
YES = Consent(share_with_network=True, share_substance_use=True)
HEAVY = Screening(instrument="auditc", taken_on=DAY, answers=(4, 4, 4))
DRUGS = Screening(instrument="dast10", taken_on=DAY, answers=(1, 1, 0, 1, 1, 1, 1, 1, 1, 1))

MARKS = ("alcohol", "drug", "F10", "auditc", "dast", "contingency", "motivational", "substance", "withdrawal")

WHOLE: dict[str, Any] = {
    "problems": ("depression", "alcohol", "drugs"),
    "diagnoses": ("F33.1", "F10.230", "F19.10"),
    "red_flags": ("withdrawal_danger", "suicidal_thoughts"),
    "screenings": (CALM_SHEET, HEAVY, DRUGS),
    "goals": ("feel_better", "reduce_substance_use"),
    "strengths": ("friends",),
    "past_treatments": (
        PastTreatment(modality="contingency_management", helped=False),
        PastTreatment(modality="cbt", helped=True),
    ),
    "wishes": (
        Wish(criterion="modality", values=("motivational_interviewing", "cbt")),
        Wish(criterion="modality", values=("contingency_management",), must=True),
        Wish(criterion="language", values=("en",), must=True),
    ),
}


def told(**changes: Any) -> list[TriageFact]:
    """What triage says of a new referral."""
    return list(first(fact(**changes)).events)


def first(event: CaseFact) -> Decision:
    new = TriageState(referral_id=event.referral_id, region=event.region, clinic=event.clinic)
    return decide(event, Referral(new), POLICY, now=now())


def triaged(**changes: Any) -> ReferralTriaged:
    (found,) = [each for each in told(**changes) if isinstance(each, ReferralTriaged)]
    return found


def test_nothing_about_substances_leaves_triage_without_consent() -> None:
    said = told(**WHOLE, consent=NO)
    assert {type(each) for each in said} == {ReferralTriaged, ReviewRequested}
    for each in said:
        text = each.model_dump_json(exclude={"event_id", "referral_id"})
        assert [mark for mark in MARKS if mark.lower() in text.lower()] == []


def test_the_rest_goes_on() -> None:
    decision = triaged(**WHOLE, consent=NO)
    needs = decision.needs
    assert needs.problems == ("depression",)
    assert needs.goals == ("feel_better",)
    assert needs.strengths == ("friends",)
    assert [past.modality for past in needs.past_treatments] == ["cbt"]
    assert [(wish.criterion, wish.values) for wish in needs.wishes] == [
        ("modality", ("cbt",)),
        ("language", ("en",)),
    ]
    assert {indication.problem for indication in decision.indications} == {"depression"}
    rules = [rule.rule for rule in decision.rules]
    assert "flag-same-day" in rules
    assert rules[-1] == NOT_SHARED.rule and rules.count(NOT_SHARED.rule) == 1


def test_what_is_withheld_counts_all_the_same() -> None:
    withheld, shared = triaged(**WHOLE, consent=NO), triaged(**WHOLE, consent=YES)
    assert withheld.urgency == shared.urgency == Urgency.VERY_URGENT
    assert (withheld.level_of_care, withheld.team) == (shared.level_of_care, shared.team)


def test_with_consent_everything_goes_on() -> None:
    decision = triaged(**WHOLE, consent=YES)
    assert decision.needs.problems == WHOLE["problems"]
    assert {"alcohol", "drugs"} <= {indication.problem for indication in decision.indications}
    assert {"flag-medical", "diagnosis-medical"} <= {rule.rule for rule in decision.rules}
    assert fired_rules((NOT_SHARED,))[0] not in decision.rules


def test_where_there_is_nothing_to_withhold_nothing_changes() -> None:
    plain = {"problems": ("depression",), "screenings": (CALM_SHEET,)}
    without, with_ = triaged(**plain, consent=NO), triaged(**plain, consent=YES)
    assert without.needs == with_.needs
    assert without.rules == with_.rules
    assert without.indications == with_.indications
    one: Case = case(**plain, consent=NO)
    assert shareable_part(one) == one


@pytest.mark.parametrize(
    "part",
    [
        {"problems": ("depression", "alcohol")},
        {"problems": ("depression", "drugs")},
        {"diagnoses": ("F11.20",)},
        {"red_flags": ("withdrawal_danger",)},
        {"screenings": (CALM_SHEET, HEAVY)},
        {"screenings": (CALM_SHEET, DRUGS)},
        {"goals": ("reduce_substance_use",)},
        {"past_treatments": (PastTreatment(modality="motivational_interviewing"),)},
        {"wishes": (Wish(criterion="modality", values=("contingency_management",)),)},
    ],
)
def test_each_part_is_withheld_by_itself(part: dict[str, Any]) -> None:
    assert shareable_part(case(**part, consent=NO)) != case(**part, consent=NO)
    assert shareable_part(case(**part, consent=YES)) == case(**part, consent=YES)
    for each in told(**part, consent=NO):
        text = each.model_dump_json(exclude={"event_id", "referral_id"}).lower()
        assert [mark for mark in MARKS if mark.lower() in text] == []


@pytest.mark.parametrize("diagnosis", ["F01.50", "F20.9", "F33.1", "G47.00"])
def test_other_diagnoses_are_not_withheld(diagnosis: str) -> None:
    one = case(diagnoses=(diagnosis,), consent=NO)
    assert shareable_part(one) == one


def test_the_clinician_in_triage_reads_every_reason() -> None:
    review = first(fact(uuid4(), **WHOLE, consent=NO)).referral.state.review
    assert review is not None
    assert "red_flag=withdrawal_danger" in {reason.datum for reason in review.reasons}


class TestNothingLeftToMatchOn:
    """The only problems are the ones that consent does not cover: a person asks for it, in plain sight."""

    ONLY: ClassVar[dict[str, Any]] = {
        "problems": ("alcohol", "drugs"),
        "diagnoses": ("F10.20",),
        "screenings": (CALM_SHEET, HEAVY),
    }

    def test_a_person_is_asked_and_matching_waits(self) -> None:
        (review,) = told(**self.ONLY, consent=NO)
        assert isinstance(review, ReviewRequested)
        assert review.holds
        assert review.review_by <= review.occurred_at + timedelta(hours=24)
        assert "consent-too-narrow" in {reason.rule for reason in review.reasons}

    def test_the_reason_does_not_tell_what_it_withholds(self) -> None:
        for each in told(**self.ONLY, consent=NO):
            text = each.model_dump_json(exclude={"event_id", "referral_id"})
            assert [mark for mark in MARKS if mark.lower() in text.lower()] == []

    def test_one_problem_that_may_be_shared_goes_on(self) -> None:
        assert triaged(problems=("alcohol", "depression"), consent=NO).needs.problems == ("depression",)

    def test_so_does_the_consent(self) -> None:
        assert triaged(**self.ONLY, consent=YES).needs.problems == ("alcohol", "drugs")

    def test_a_referral_that_names_no_problem_withholds_none(self) -> None:
        assert not any(isinstance(each, ReviewRequested) for each in told(problems=(), consent=NO))

    def test_an_emergency_does_not_wait_for_paperwork(self) -> None:
        urgent = {**self.ONLY, "red_flags": ("overdose",)}
        decision = triaged(**urgent, consent=NO)
        assert decision.urgency is Urgency.EMERGENCY and decision.in_review

    def test_the_consent_that_comes_later_lets_it_go_on(self) -> None:
        submitted = fact(**self.ONLY, consent=NO)
        held = first(submitted).referral
        assert held.state.status == "held"
        later = fact(submitted.referral_id, kind="amended", revision=2, **self.ONLY, consent=YES)
        released = decide(later, held, POLICY, now=now())
        assert released.referral.state.status == "triaged"
        (decision,) = [each for each in released.events if isinstance(each, ReferralTriaged)]
        assert decision.needs.problems == ("alcohol", "drugs")

    @pytest.mark.parametrize("word", ["Alcohol", "a drug", "substance use", "42 CFR Part 2", "detox"])
    def test_a_policy_whose_reason_would_tell_is_refused(self, word: str) -> None:
        rules = tuple(
            replace(rule, text=f"{rule.text} {word}") if rule.id == "consent-too-narrow" else rule
            for rule in POLICY.rules
        )
        assert any("would tell the network" in fault for fault in check(replace(POLICY, rules=rules)))
