"""One of every fact, with every field filled: made-up codes, fixed ids."""

from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from shared import events
from shared.events import (
    Advice,
    Case,
    Consent,
    CriterionScore,
    FiredRule,
    Indication,
    Needs,
    NextStep,
    PastTreatment,
    Question,
    Relaxation,
    Screening,
    Stated,
    Wish,
)
from shared.vocabulary import LevelOfCare, Priority, Sex, Urgency

AT: Final = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def _id(n: int) -> UUID:
    return UUID(int=n)


CASE: Final = Case(
    as_of=date(2026, 11, 23),
    age=34,
    sex=Sex.FEMALE,
    perinatal=True,
    guardian="not_needed",
    languages=("es", "en"),
    interpreter_ok=True,
    area="031",
    payer="payer-a",
    requested_priority=Priority.URGENT,
    problems=("perinatal_depression",),
    diagnoses=("F53.0",),
    red_flags=("clinician_concern",),
    screenings=(
        Screening(
            instrument="phq9",
            taken_on=date(2026, 11, 20),
            answers=(2, 2, 1, "refused", "unknown", 1, 1, 0, None),
            language="es",
            stated_total=7,
        ),
    ),
    past_treatments=(PastTreatment(modality="cbt", helped=True),),
    past_attempt=False,
    external_levels=("iar_3",),
    goals=("parenting",),
    strengths=("family_support",),
    wishes=(Wish(criterion="therapist_gender", values=("woman",), must=True),),
    consent=Consent(share_with_network=True, share_substance_use=False, version="2026-01"),
    read_notes=2,
    not_understood=("red_flag", "region"),
)
NEEDS: Final = Needs(**{name: getattr(CASE, name) for name in Needs.model_fields})
RULE: Final = FiredRule(rule="phq9-item9", datum="phq9.item9=2", text="A safety answer asks for a response.")

_common: Final[dict[str, Any]] = {"occurred_at": AT, "region": "north", "referral_id": _id(1), "revision": 2}
_intake: Final = {**_common, "clinic": "clinic-1", "express": True}
STATED: Final = Stated(parts=("red_flags", "screenings"), sheets=1)
_triage: Final = {**_intake, "decision": 3}
_matching: Final = {**_common, "clinic": "clinic-1", "urgency": Urgency.URGENT}
_notice: Final = {
    **_common,
    "clinic": "clinic-1",
    "notice_id": _id(5),
    "about": "ReferralTriaged",
    "audience": "psychiatrist",
    "recipient": "oncall-north-1",
}

SAMPLES: Final[tuple[events.AnyFact, ...]] = (
    events.ReferralSubmitted(event_id=_id(100), case=CASE, stated=STATED, **_intake),
    events.ReferralAmended(event_id=_id(101), case=CASE, stated=STATED, **_intake),
    events.ScreeningRecorded(event_id=_id(102), case=CASE, stated=STATED, **_intake),
    events.ReferralWithdrawn(event_id=_id(103), reason="moved_away", **_intake),
    events.ReferralTriaged(
        event_id=_id(104),
        urgency=Urgency.VERY_URGENT,
        respond_by=AT,
        level_of_care=LevelOfCare.HIGH,
        indications=(
            Indication(
                modality="cbt", problem="perinatal_depression", strength="first_line", source="NICE CG192"
            ),
        ),
        team=("therapist", "psychiatrist", "primary_care"),
        rules=(RULE,),
        policy="network-default",
        policy_version="1",
        needs=NEEDS,
        in_review=True,
        decided_by="clinician-1",
        action="raise",
        reason="new_information",
        restates=Urgency.VERY_URGENT,
        not_understood=("red_flag", "region"),
        **_triage,
    ),
    events.ReferralReturned(
        event_id=_id(105),
        reason="other_service",
        next_step="community_service",
        next_step_by=AT,
        decided_by="clinician-1",
        advice=(Advice(code="come_back_if_worse", text="Refer again if anything gets worse."),),
        next_steps=(
            NextStep(
                step="community_service",
                text="Refer to the service named.",
                owner="referrer",
                by=AT,
                service="grief-centre",
            ),
        ),
        **_triage,
    ),
    events.ReviewRequested(
        event_id=_id(106),
        reasons=(RULE,),
        urgency=Urgency.URGENT,
        review_by=AT,
        holds=True,
        asks_again=True,
        restates=Urgency.URGENT,
        team=("therapist", "psychiatrist"),
        **_triage,
    ),
    events.InformationRequested(
        event_id=_id(121),
        reason="missing_information",
        questions=(Question(code="consent", text="Does the person agree to share this?"),),
        answer_by=AT,
        urgency=Urgency.URGENT,
        respond_by=AT,
        holds=True,
        decided_by="clinician-1",
        **_triage,
    ),
    events.InformationReminded(event_id=_id(122), urgency=Urgency.URGENT, answer_by=AT, **_triage),
    events.ReviewOverdue(
        event_id=_id(120),
        urgency=Urgency.URGENT,
        review_by=AT,
        held_by="clinician-1",
        unanswered=True,
        **_triage,
    ),
    events.TriageEnded(event_id=_id(107), reason="withdrawn", **_triage),
    events.MatchProposed(
        event_id=_id(108),
        offer_id=_id(2),
        therapist_id=_id(3),
        attempt=1,
        expires_at=AT,
        score=0.75,
        criteria=(CriterionScore(criterion="language", score=1, weight=2),),
        eligible=4,
        considered=200,
        **_matching,
    ),
    events.MatchAccepted(event_id=_id(109), offer_id=_id(2), therapist_id=_id(3), **_matching),
    events.MatchDeclined(
        event_id=_id(110), offer_id=_id(2), therapist_id=_id(3), reason="expired", **_matching
    ),
    events.ReferralWaitlisted(
        event_id=_id(111),
        reason="no_eligible_therapist",
        eligible=0,
        relaxations=(Relaxation(limit="therapist_gender", opens=5),),
        try_again_by=AT,
        **_matching,
    ),
    events.AppointmentBooked(event_id=_id(112), therapist_id=_id(3), starts_at=AT, **_matching),
    events.ReferralClosed(event_id=_id(113), reason="completed", **_matching),
    events.TherapistChanged(
        event_id=_id(114),
        occurred_at=AT,
        region="north",
        therapist_id=_id(3),
        version=2,
        active=True,
        places_total=5,
        places_taken=2,
    ),
    events.NoticeSent(event_id=_id(115), step=1, channel="webhook", **_notice),
    events.NoticeAcknowledged(event_id=_id(116), by="oncall-north-1", **_notice),
    events.CrisisOutcomeRecorded(event_id=_id(123), outcome="reached", by="oncall-north-1", **_notice),
    events.NoticeFailed(event_id=_id(117), reason="nobody_answered", **_notice),
)
