"""How far has it come? The state is a fold over the set of facts known of a referral.

Facts of four services arrive in any order and may arrive twice, so nothing here depends on arrival: facts are
told apart by `event_id` and put in the order of the revision they are about, the count their service gives
them, their time, their id.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Final
from uuid import UUID

from services.intake.domain.status import FHIR_STATUS, FINAL, State
from shared.vocabulary import Urgency

CLOSED_BY_TRIAGE: Final = "returned"
"""Matching's reason when it closed only because triage had returned; triaged again, it is open again."""

CONTENT: Final = frozenset({"ReferralSubmitted", "ReferralAmended", "ScreeningRecorded"})
QUESTION: Final = "InformationRequested"
REVIEWS: Final = frozenset({"ReviewRequested", QUESTION})
TRIAGE: Final = frozenset({"ReferralTriaged", "ReferralReturned", *REVIEWS})
MATCHING: Final = {
    "MatchProposed": State.OFFERED,
    "MatchAccepted": State.ACCEPTED,
    "MatchDeclined": State.TRIAGED,
    "ReferralWaitlisted": State.WAITLISTED,
    "AppointmentBooked": State.BOOKED,
    "ReferralClosed": State.CLOSED,
}
MOVES_NOTHING: Final = frozenset({"NoticeSent"})
"""Kept in the timeline; where a referral stands does not depend on them."""
OUTCOME: Final = "CrisisOutcomeRecorded"
NOT_REACHED: Final = "not_reached"
FAILED: Final = "NoticeFailed"
NO_OUTCOME: Final = "no_outcome"
TAKEN_ON: Final = frozenset({State.ACCEPTED, State.BOOKED, State.CLOSED})
CRISIS: Final = tuple(urgency for urgency in Urgency if urgency.cannot_wait)
WHO_ANSWERS_A_CRISIS: Final = frozenset({"psychiatrist", "clinician"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A fact, as far as the state depends on it. `by` is when somebody must have acted, `answer_by` when the
    referrer must have answered; `unanswered` says that they have not. `restates` is how soon the request
    behind a decision by itself asks for a response."""

    event_id: UUID
    type: str
    occurred_at: datetime
    revision: int
    decision: int = 0
    urgency: Urgency | None = None
    by: datetime | None = None
    in_review: bool = False
    holds: bool = False
    answer_by: datetime | None = None
    unanswered: bool = False
    reason: str | None = None
    next_step: str | None = None
    audience: str | None = None
    restates: Urgency | None = None
    outcome: str | None = None

    @property
    def place(self) -> tuple[int, int, datetime, UUID]:
        return (self.revision, self.decision, self.occurred_at, self.event_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is told of a referral. `by` is when somebody must have responded, or, with `next_step`, when the
    referrer's next step is due, or, while information is needed, when the referrer's answer is."""

    state: State
    urgency: Urgency | None = None
    by: datetime | None = None
    reason: str | None = None
    next_step: str | None = None

    @property
    def fhir_status(self) -> str:
        return FHIR_STATUS[self.state]

    @property
    def final(self) -> bool:
        return self.state in FINAL


def progress(facts: Iterable[Heard]) -> Progress:
    """The same for every order and repetition of the same facts."""
    ordered = sorted({fact.event_id: fact for fact in facts}.values(), key=lambda fact: fact.place)
    triage = [fact for fact in ordered if fact.type in TRIAGE]
    withdrawal = _last(ordered, lambda fact: fact.type == "ReferralWithdrawn")
    if withdrawal is not None:
        return Progress(state=State.WITHDRAWN, reason=withdrawal.reason)
    if triage and triage[-1].type == "ReferralReturned" and not _changed_since(ordered, triage[-1]):
        return _returned(triage)
    return _under_way(ordered, triage)


def _returned(triage: list[Heard]) -> Progress:
    last = triage[-1]
    return Progress(
        state=State.RETURNED,
        urgency=_urgency(triage),
        by=last.by,
        reason=last.reason,
        next_step=last.next_step,
    )


def _under_way(facts: list[Heard], triage: list[Heard]) -> Progress:
    latest = [fact for fact in triage if fact.place[:2] == triage[-1].place[:2]]
    matching = _last(facts, lambda fact: fact.type in MATCHING)
    if matching and matching.type == "ReferralClosed" and matching.reason == CLOSED_BY_TRIAGE:
        matching = None
    question = _open_question(facts, triage)
    state = _state(facts, triage, latest, matching, question)
    if question and state is State.NEEDS_INFORMATION:
        return Progress(state=state, urgency=_urgency(triage), by=question.answer_by, reason=question.reason)
    clock = min((fact.by for fact in latest if fact.by is not None), default=None)
    return Progress(
        state=state,
        urgency=_urgency(triage),
        by=None if state in TAKEN_ON else clock,
        reason=matching.reason if matching and state in (State.WAITLISTED, State.CLOSED) else None,
    )


def _open_question(facts: list[Heard], triage: list[Heard]) -> Heard | None:
    """What a clinician asked, until the referrer changes something, a clinician decides or its time is up."""
    if not triage or triage[-1].type != QUESTION or _changed_since(facts, triage[-1]):
        return None
    asked = triage[-1]
    lapsed = any(fact.unanswered and fact.place[:2] == asked.place[:2] for fact in facts)
    return None if lapsed else asked


def _state(
    facts: list[Heard],
    triage: list[Heard],
    latest: list[Heard],
    matching: Heard | None,
    question: Heard | None,
) -> State:
    matched = MATCHING[matching.type] if matching else None
    if matched is State.CLOSED:
        return matched
    if _unanswered_crisis(facts, triage, matching):
        return State.CRISIS_HANDOVER
    if matched in TAKEN_ON:
        return matched
    if question:
        return State.NEEDS_INFORMATION
    if any(fact.holds for fact in latest):
        return State.IN_REVIEW
    if matched in (State.OFFERED, State.WAITLISTED):
        return matched
    if any(fact.in_review or fact.type in REVIEWS for fact in latest):
        return State.IN_REVIEW
    if matched or any(fact.type == "ReferralTriaged" for fact in latest):
        return State.TRIAGED
    return State.RECEIVED


def _unanswered_crisis(facts: list[Heard], triage: list[Heard], matching: Heard | None) -> bool:
    """A crisis stands until, since it became one or was last stated, a psychiatrist or clinician has
    acknowledged it or a therapist has taken the client on; and again when it came to nothing. One
    revision may become a crisis later: it is decided again when the rules change."""
    began = _crisis_since(_told(triage))
    if began is None:
        return False
    answers = [fact for fact in facts if _answers_a_crisis(fact)]
    if matching and MATCHING[matching.type] in TAKEN_ON:
        answers.append(matching)
    since = (began.revision, began.occurred_at)
    answers = [answer for answer in answers if (answer.revision, answer.occurred_at) >= since]
    again = [fact for fact in triage if fact.restates in CRISIS and fact.place >= began.place]
    again += [fact for fact in facts if _came_to_nothing(fact)]
    return not any(all(_answers(answer, each) for each in again) for answer in answers)


def _came_to_nothing(fact: Heard) -> bool:
    """Whoever had acknowledged it did not reach the person, or has not said what came of it."""
    missed = fact.type == FAILED and fact.reason == NO_OUTCOME and fact.audience in WHO_ANSWERS_A_CRISIS
    return missed or (fact.type == OUTCOME and fact.outcome == NOT_REACHED)


def _answers_a_crisis(fact: Heard) -> bool:
    if fact.audience not in WHO_ANSWERS_A_CRISIS:
        return False
    return fact.type == "NoticeAcknowledged" or (fact.type == OUTCOME and fact.outcome != NOT_REACHED)


def _answers(answer: Heard, again: Heard) -> bool:
    """An alert that was open when the crisis was stated again stands for both, so it may be acknowledged
    later under its older revision. An outcome has the revision of the alert that it is about."""
    later = answer.occurred_at >= again.occurred_at
    if again.type in (OUTCOME, FAILED):
        return later
    return answer.revision >= again.revision or (later and answer.type not in MATCHING)


def _crisis_since(told: list[Heard]) -> Heard | None:
    """The first of the unbroken run of decisions at least as urgent as the last; None when that is no
    crisis."""
    if not told or told[-1].urgency not in CRISIS:
        return None
    run = takewhile(lambda fact: _rank(fact) <= _rank(told[-1]), reversed(told))
    return list(run)[-1]


def _told(triage: list[Heard]) -> list[Heard]:
    """Of each decision the fact that states an urgency; of two parts of one decision, the more urgent."""
    most: dict[tuple[int, int], Heard] = {}
    for fact in triage:
        if fact.urgency is not None:
            number = fact.place[:2]
            most[number] = min(most.get(number, fact), fact, key=_rank)
    return list(most.values())


def _urgency(triage: list[Heard]) -> Urgency | None:
    told = _told(triage)
    return told[-1].urgency if told else None


def _rank(fact: Heard) -> int:
    return fact.urgency.rank if fact.urgency else len(Urgency)


def _changed_since(facts: list[Heard], decision: Heard) -> bool:
    return any(fact.type in CONTENT and fact.revision > decision.revision for fact in facts)


def _last(facts: list[Heard], wanted: Callable[[Heard], bool]) -> Heard | None:
    return next((fact for fact in reversed(facts) if wanted(fact)), None)
