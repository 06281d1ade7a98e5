"""A decision of triage: call whoever must respond, notify the referrer.

Two topics are read side by side, so an older decision may come after a newer one; it notifies nobody.
"""

from collections.abc import Sequence
from datetime import datetime

from services.notify.domain import acknowledgements, alert_wording, wording
from services.notify.domain.batch import Reviewed, Situation, Verdict
from services.notify.domain.call_state import CLINICIAN, PSYCHIATRIST, Known
from services.notify.domain.draft import Draft, NewId
from services.notify.domain.events import (
    InformationReminded,
    InformationRequested,
    Returned,
    ReviewOverdue,
    ReviewRequested,
    Triaged,
    TriageEnded,
    TriageEvent,
)
from services.notify.domain.ladder import Clocks
from services.notify.domain.notices import Notifier
from services.notify.domain.words import Words
from shared.vocabulary import Urgency

Decision = Triaged | ReviewRequested


def decide(
    events: Sequence[TriageEvent], situation: Situation, clocks: Clocks, *, now: datetime, new_id: NewId
) -> Verdict:
    """One event after another, each knowing what the ones before it came to."""
    draft = Draft(directory=situation.directory, now=now, new_id=new_id, notified=set(situation.notified))
    notifier = Notifier(draft=draft, clocks=clocks, escalating=situation.escalating)
    known = dict(situation.known)
    for event in events:
        before = known[event.referral_id]
        if not before.is_stale(event.decision):
            known[event.referral_id] = _after(event, before, notifier)
    acknowledgements.settle_reviews(draft, situation.reviews)
    acknowledgements.show_others(draft, situation.others)
    return draft.verdict(known)


def _after(event: TriageEvent, before: Known, notifier: Notifier) -> Known:
    match event:
        case Triaged():
            return _triaged(event, before, notifier)
        case ReviewRequested():
            return _review_requested(event, before, notifier)
        case InformationRequested():
            after = _decided(event, event.decided_by, before.heard(event.decision, event.urgency), notifier)
            notifier.notify(event, wording.asked(event.answer_by), urgency=event.urgency)
            return after
        case InformationReminded():
            if not before.over:
                notifier.notify(event, wording.asked(event.answer_by, again=True), urgency=event.urgency)
            return before
        case ReviewOverdue():
            return _overdue(event, before, notifier)
        case Returned():
            after = _decided(event, event.decided_by, before, notifier)
            words = wording.returned(event.next_step_by, after.waiting_audiences)
            notifier.notify(event, words, urgency=before.urgency)
            return after.ended(event.decision)
        case TriageEnded():
            if not before.over:
                notifier.notify(event, wording.withdrawn(before.waiting_audiences), urgency=before.urgency)
            return before.ended(event.decision)
    return before


def decided_by(event: TriageEvent) -> str | None:
    """The clinician whose decision settles what clinicians were asked."""
    match event:
        case Triaged():
            return None if event.in_review else event.decided_by
        case InformationRequested() | Returned():
            return event.decided_by
    return None


def _ask_a_coordinator(event: Triaged | ReviewRequested, before: Known, notifier: Notifier) -> Known:
    """About what the network does not know: once, unless something is added."""
    terms = wording.TERMS.keys() & set(event.not_understood)
    if terms - before.terms:
        notifier.notify(event, wording.unknown_terms(terms), urgency=event.urgency)
    return before.asked_about(terms)


def _triaged(event: Triaged, before: Known, notifier: Notifier) -> Known:
    on_team = "psychiatrist" in event.team
    after = _ask_a_coordinator(event, before.heard(event.decision, event.urgency), notifier)
    after = _call_psychiatrist(event, event.respond_by, before, after, notifier, on_team=on_team)
    notifies = on_team and after.notifies_psychiatrist(event.urgency)
    if notifies:
        notifier.notify(event, [wording.on_team(event.urgency, event.respond_by)], urgency=event.urgency)
        after = after.psychiatrist_informed(event.urgency)
    after = _inform(event, before, after, notifier, notifies=notifies)
    if event.decided_by and not event.in_review:
        return _decided(event, event.decided_by, after, notifier)
    return after


def _inform(event: Triaged, before: Known, after: Known, notifier: Notifier, *, notifies: bool) -> Known:
    """Clinic and primary care, of what is new: the urgency, a clinician's word, primary care's part."""
    part, reachable = _part_of_primary_care(event), notifier.reaches_primary_care(event.clinic)
    if before.referrer_notified is not event.urgency or event.decided_by:
        words = wording.triaged(
            event.urgency,
            event.respond_by,
            calls=after.waits_for(PSYCHIATRIST, event.urgency)
            and notifier.is_on_call(PSYCHIATRIST, event.region),
            tells=notifies,
            in_review=event.in_review,
            part=part,
            reachable=reachable,
        )
        notifier.notify(event, words, urgency=event.urgency)
    elif part and part != before.primary_care_notified:
        words = [wording.primary_care_part(part, event.respond_by, reachable=reachable)]
        notifier.notify(event, words, urgency=event.urgency)
    return after.informed(event.urgency).primary_care_informed(part)


def _part_of_primary_care(event: Triaged) -> str | None:
    """The team is in the order in which the person meets it."""
    if "primary_care" not in event.team:
        return None
    before_therapy = event.team[: event.team.index("therapist")] if "therapist" in event.team else event.team
    return wording.FIRST if "primary_care" in before_therapy else wording.BESIDE


def _review_requested(event: ReviewRequested, before: Known, notifier: Notifier) -> Known:
    after = before.heard(event.decision, event.urgency)
    if not event.asks_again:  # which is not about the case
        after = _ask_a_coordinator(event, after, notifier)
    on_team = "psychiatrist" in event.team
    after = _call_psychiatrist(event, event.review_by, before, after, notifier, on_team=on_team)
    words = alert_wording.review(event.urgency, event.review_by, holds=event.holds)
    if event.restates:
        after = _call_again(event, event.restates, words, after, notifier)
    elif after.calls_clinician(event.urgency):
        after = _call(event, words, after, notifier)
    if event.asks_again:
        notifier.notify(event, wording.ask_again(), urgency=event.urgency)
    return after


def _call_psychiatrist(
    event: Decision, by: datetime, before: Known, after: Known, notifier: Notifier, *, on_team: bool = False
) -> Known:
    words = [alert_wording.called(event.urgency, by, late=by <= notifier.now)]
    if before.calls_psychiatrist(event.urgency, on_team=on_team):
        return _call(event, words, after, notifier)
    if event.restates and event.restates.cannot_wait:
        return _call_again(event, event.restates, words, after, notifier)
    return after


def _call_again(
    event: Decision, restates: Urgency, words: list[Words], known: Known, notifier: Notifier
) -> Known:
    """The newest request states anew what they were called for: an open alert is sent again, whoever holds
    one is called first, else it begins with the first on call. Two events of one request call once."""
    audience = words[0].audience
    if not known.calls_again(audience, event.revision):
        return known
    open_ = known.open_at(audience, restates if audience == PSYCHIATRIST else event.urgency)
    if open_ and notifier.state_again(open_.notice):
        return known.called_for(audience, event.revision)
    held = known.held_at(audience, restates)
    return _call(event, words, known, notifier, first=held.by if held else None)


def _call(
    event: Decision, words: list[Words], known: Known, notifier: Notifier, *, first: str | None = None
) -> Known:
    """The first of the words is the alert."""
    audience = words[0].audience
    made = notifier.notify(event, words, urgency=event.urgency, first=first)
    return known.called(audience, event.urgency, notice=made.get(audience), revision=event.revision)


def _overdue(event: ReviewOverdue, before: Known, notifier: Notifier) -> Known:
    """An alert that nobody has acknowledged goes on by itself; one acknowledged without a decision begins
    anew."""
    if before.over or not before.calls_clinician(event.urgency):
        return before
    words = alert_wording.overdue(event.urgency, event.review_by, unanswered=event.unanswered)
    made = notifier.notify(event, words, urgency=event.urgency)
    return before.called(CLINICIAN, event.urgency, notice=made.get(CLINICIAN))


def _decided(event: TriageEvent, by: str, before: Known, notifier: Notifier) -> Known:
    """A named clinician decided, which settles what clinicians were asked."""
    notifier.draft.reviewed.append(Reviewed(event.referral_id, event.decision, by))
    return before.reviewed()
