"""The events that triage publishes: a verdict put on the wire, with its ids and its stamp."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from services.triage.case_mapping import needs_of, shareable_part
from services.triage.db.referrals import Decision, Referral
from services.triage.domain.outcome import (
    Ended,
    InformationNeeded,
    Outcome,
    Overdue,
    Published,
    Reminded,
    Returned,
    ReviewNeeded,
    Triaged,
)
from services.triage.domain.policy import Policy
from services.triage.domain.reasons import Reason
from services.triage.domain.state import TriageState
from shared.events import (
    Advice,
    Case,
    FiredRule,
    Indication,
    InformationReminded,
    InformationRequested,
    Needs,
    NextStep,
    Question,
    ReferralReturned,
    ReferralTriaged,
    ReviewOverdue,
    ReviewRequested,
    TriageEnded,
    TriageFact,
)
from shared.ids import new_id


class Stamp(TypedDict):
    event_id: UUID
    occurred_at: datetime
    referral_id: UUID
    revision: int
    region: str
    clinic: str
    express: bool
    decision: int


def decision_of(outcome: Outcome, case: Case | None, policy: Policy, *, now: datetime) -> Decision:
    """What is saved and published at once. `case` is None where it was not loaded."""
    return Decision(
        referral=Referral(outcome.state, case),
        events=tuple(_event(one, outcome.state, case, policy, now) for one in outcome.published),
        basis=outcome.basis,
    )


def fired_rules(reasons: tuple[Reason, ...]) -> tuple[FiredRule, ...]:
    return tuple(FiredRule(rule=r.rule, datum=r.datum, text=r.text, on=r.on) for r in reasons)


def _event(
    published: Published, state: TriageState, case: Case | None, policy: Policy, now: datetime
) -> TriageFact:
    stamp = Stamp(
        event_id=new_id(),
        occurred_at=now,
        referral_id=state.referral_id,
        revision=state.revision,
        region=state.region,
        clinic=state.clinic,
        express=state.express,
        decision=published.decision,
    )
    match published:
        case Triaged():
            return _triaged(stamp, published, _needs(published, case), policy)
        case ReviewNeeded():
            return _review_requested(stamp, published)
        case Returned():
            return _returned(stamp, published, policy)
        case InformationNeeded():
            return _information_requested(stamp, published, policy)
        case Reminded():
            return InformationReminded(**stamp, urgency=published.urgency, answer_by=published.answer_by)
        case Overdue():
            return ReviewOverdue(
                **stamp,
                urgency=published.urgency,
                review_by=published.review_by,
                held_by=published.held_by,
                unanswered=published.unanswered,
            )
        case Ended():
            return TriageEnded(**stamp, reason=published.reason)


def _needs(triaged: Triaged, case: Case | None) -> Needs:
    if case is None:
        raise ValueError("a referral is triaged by its case")
    return needs_of(case if triaged.discloses else shareable_part(case))


def _triaged(stamp: Stamp, triaged: Triaged, needs: Needs, policy: Policy) -> ReferralTriaged:
    clinician = triaged.clinician
    return ReferralTriaged(
        **stamp,
        urgency=triaged.urgency,
        respond_by=triaged.respond_by,
        level_of_care=triaged.pathway.level_of_care,
        indications=tuple(
            Indication(modality=i.modality, problem=i.problem, strength=i.strength, source=i.source)
            for i in triaged.indications
        ),
        team=triaged.pathway.team,
        rules=fired_rules(triaged.reasons),
        policy=policy.name,
        policy_version=policy.version,
        needs=needs,
        in_review=triaged.in_review,
        decided_by=clinician.by if clinician else None,
        action=clinician.action if clinician else None,
        reason=clinician.reason if clinician else None,
        restates=triaged.restates,
        not_understood=triaged.not_understood,
    )


def _review_requested(stamp: Stamp, review: ReviewNeeded) -> ReviewRequested:
    return ReviewRequested(
        **stamp,
        reasons=fired_rules(review.reasons),
        urgency=review.urgency,
        review_by=review.review_by,
        holds=review.holds,
        asks_again=review.asks_again,
        restates=review.restates,
        not_understood=review.not_understood,
        team=review.team,
    )


def _returned(stamp: Stamp, returned: Returned, policy: Policy) -> ReferralReturned:
    first = min(returned.next_steps, key=lambda step: step.by)
    return ReferralReturned(
        **stamp,
        reason=returned.reason,
        next_step=first.step,
        next_step_by=first.by,
        decided_by=returned.by,
        advice=tuple(Advice(code=code, text=policy.advice[code]) for code in returned.advice),
        next_steps=tuple(
            NextStep(
                step=step.step,
                text=policy.next_steps[step.step].text,
                owner=step.owner,
                by=step.by,
                service=step.service,
            )
            for step in returned.next_steps
        ),
    )


def _information_requested(stamp: Stamp, asked: InformationNeeded, policy: Policy) -> InformationRequested:
    return InformationRequested(
        **stamp,
        reason=asked.reason,
        questions=tuple(Question(code=code, text=policy.questions[code]) for code in asked.questions),
        answer_by=asked.answer_by,
        urgency=asked.urgency,
        respond_by=asked.respond_by,
        holds=asked.holds,
        decided_by=asked.by,
    )
