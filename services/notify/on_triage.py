"""A decision of triage: call whoever must answer, tell the referrer.

Two topics are read side by side, so an older decision may come after a newer one; it is not told.
"""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from services.notify import network_terms, notice_store, paging, recipient_store, saving, wording
from services.notify.ladder import Clocks
from services.notify.paging import Known
from services.notify.plan import Plan, Reviewed
from services.notify.telling import Teller
from shared import inbox, outbox
from shared.consumer import Handler
from shared.events import (
    AnyFact,
    InformationReminded,
    InformationRequested,
    ReferralReturned,
    ReferralTriaged,
    ReviewOverdue,
    ReviewRequested,
    TriageEnded,
    TriageFact,
)
from shared.ids import now as present
from shared.network import NOTHING_CHECKED, Network
from shared.postgres import Connection


def on_triage(group: str, clocks: Clocks, network: Network = NOTHING_CHECKED) -> Handler:
    return partial(_handle, group, clocks, network)


async def _handle(
    group: str, clocks: Clocks, network: Network, connection: Connection, facts: Sequence[AnyFact]
) -> None:
    now = present()
    claimed = await inbox.claim(connection, group, facts)
    fresh = network_terms.in_network([fact for fact in claimed if isinstance(fact, TriageFact)], network)
    known = await notice_store.known(connection, {fact.referral_id for fact in fresh})
    directory = await recipient_store.directory(
        connection, regions={fact.region for fact in fresh}, clinics={fact.clinic for fact in fresh}
    )
    teller = Teller(directory=directory, clocks=clocks, plan=Plan(), now=now)
    heard = tell(fresh, known, teller)
    await notice_store.remember(connection, heard)
    await outbox.announce(connection, await saving.save(connection, teller.plan, now=now))


def tell(facts: Sequence[TriageFact], known: dict[UUID, Known], teller: Teller) -> dict[UUID, Known]:
    """One after another, each knowing what the ones before it said."""
    heard = dict(known)
    for fact in facts:
        before = heard[fact.referral_id]
        if not before.is_stale(fact.decision):
            heard[fact.referral_id] = _tell(fact, before, teller)
    return heard


def _tell(fact: TriageFact, before: Known, teller: Teller) -> Known:
    match fact:
        case ReferralTriaged():
            return _triaged(fact, before, teller)
        case ReviewRequested():
            return _review_requested(fact, before, teller)
        case InformationRequested():
            after = _decided(fact, fact.decided_by, before.heard(fact.decision, fact.urgency), teller)
            teller.tell(fact, wording.asked(fact.answer_by), urgency=fact.urgency)
            return after
        case InformationReminded():
            if not before.over:
                teller.tell(fact, wording.asked(fact.answer_by, again=True), urgency=fact.urgency)
            return before
        case ReviewOverdue():
            return _overdue(fact, before, teller)
        case ReferralReturned():
            after = _decided(fact, fact.decided_by, before, teller)
            words = wording.returned(fact.next_step_by, after.waiting_audiences)
            teller.tell(fact, words, urgency=before.urgency)
            return after.ended(fact.decision)
        case TriageEnded():
            if not before.over:
                teller.tell(fact, wording.withdrawn(before.waiting_audiences), urgency=before.urgency)
            return before.ended(fact.decision)
    return before


def _ask_a_coordinator(fact: ReferralTriaged | ReviewRequested, before: Known, teller: Teller) -> Known:
    """About what the network does not know: once, unless something is added."""
    terms = wording.TERMS.keys() & set(fact.not_understood)
    if terms - before.terms:
        teller.tell(fact, wording.unknown_terms(terms), urgency=fact.urgency)
    return before.asked_about(terms)


def _triaged(fact: ReferralTriaged, before: Known, teller: Teller) -> Known:
    after = _ask_a_coordinator(fact, before.heard(fact.decision, fact.urgency), teller)
    if before.calls_psychiatrist(fact.urgency, fact.restates):
        teller.tell(fact, [wording.called(fact.urgency, fact.respond_by)], urgency=fact.urgency)
        after = after.called(paging.PSYCHIATRIST, fact.urgency)
    if before.told is not fact.urgency or fact.decided_by:
        words = wording.triaged(
            fact.urgency,
            fact.respond_by,
            calls=after.waits_for(paging.PSYCHIATRIST, fact.urgency),
            in_review=fact.in_review,
        )
        teller.tell(fact, words, urgency=fact.urgency)
        after = after.informed(fact.urgency)
    if fact.decided_by and not fact.in_review:
        return _decided(fact, fact.decided_by, after, teller)
    return after


def _review_requested(fact: ReviewRequested, before: Known, teller: Teller) -> Known:
    after = before.heard(fact.decision, fact.urgency)
    if not fact.asks_again:  # which says nothing of the case
        after = _ask_a_coordinator(fact, after, teller)
    if before.calls_psychiatrist(fact.urgency, fact.restates):
        teller.tell(fact, [wording.called(fact.urgency, fact.review_by)], urgency=fact.urgency)
        after = after.called(paging.PSYCHIATRIST, fact.urgency)
    if before.calls_clinician(fact.urgency):
        words = wording.review(fact.urgency, fact.review_by, holds=fact.holds)
        teller.tell(fact, words, urgency=fact.urgency)
        after = after.called(paging.CLINICIAN, fact.urgency)
    if fact.asks_again:
        teller.tell(fact, wording.ask_again(), urgency=fact.urgency)
    return after


def _overdue(fact: ReviewOverdue, before: Known, teller: Teller) -> Known:
    """An alert that nobody has answered goes on by itself; one that was answered without a decision begins
    anew."""
    if before.over or not before.calls_clinician(fact.urgency):
        return before
    words = wording.overdue(fact.urgency, fact.review_by, unanswered=fact.unanswered)
    teller.tell(fact, words, urgency=fact.urgency)
    return before.called(paging.CLINICIAN, fact.urgency)


def _decided(fact: TriageFact, by: str, before: Known, teller: Teller) -> Known:
    """A named clinician decided: that is the answer to what clinicians were asked."""
    teller.plan.reviews.append(Reviewed(fact.referral_id, fact.decision, by))
    return before.reviewed()
