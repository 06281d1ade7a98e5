"""A decision of triage: call whoever must answer, tell the referrer.

Two topics are read side by side, so an older decision may come after a newer one; it is not told.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from services.notify import network_terms
from services.notify.db import alerts, notices, recipients, save_batch
from services.notify.domain import call_state, wording
from services.notify.domain.batch import Plan, Reviewed
from services.notify.domain.call_state import PSYCHIATRIST, Known
from services.notify.domain.ladder import Clocks
from services.notify.domain.notices import Teller
from services.notify.domain.wording import Words
from shared.db import inbox, outbox
from shared.db.postgres import Connection
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
from shared.kafka.consumer import Handler
from shared.network import NOTHING_CHECKED, Network

Decision = ReferralTriaged | ReviewRequested


def on_triage(group: str, clocks: Clocks, network: Network = NOTHING_CHECKED) -> Handler:
    return partial(_handle, group, clocks, network)


async def _handle(
    group: str, clocks: Clocks, network: Network, connection: Connection, facts: Sequence[AnyFact]
) -> None:
    now = present()
    claimed = await inbox.claim(connection, group, facts)
    fresh = network_terms.in_network([fact for fact in claimed if isinstance(fact, TriageFact)], network)
    known = await notices.known(connection, {fact.referral_id for fact in fresh})
    directory = await recipients.directory(
        connection, regions={fact.region for fact in fresh}, clinics={fact.clinic for fact in fresh}
    )
    climbers = await alerts.open_climbers(connection, _may_be_stated_again(fresh, known))
    teller = Teller(directory=directory, clocks=clocks, plan=Plan(), now=now, climbers=climbers)
    heard = tell(fresh, known, teller)
    await notices.remember(connection, heard)
    await outbox.publish(connection, await save_batch.save(connection, teller.plan, now=now))


def _may_be_stated_again(facts: Sequence[TriageFact], known: Mapping[UUID, Known]) -> list[UUID]:
    """The open alerts of whoever is stated again."""
    referrals = {fact.referral_id for fact in facts if isinstance(fact, Decision) and fact.restates}
    return sorted(o.notice for referral in referrals for o in known[referral].open if o.notice)


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
    on_team = "psychiatrist" in fact.team
    after = _ask_a_coordinator(fact, before.heard(fact.decision, fact.urgency), teller)
    after = _call_psychiatrist(fact, fact.respond_by, before, after, teller, on_team=on_team)
    tells = on_team and after.tells_psychiatrist(fact.urgency)
    if tells:
        teller.tell(fact, [wording.on_team(fact.urgency, fact.respond_by)], urgency=fact.urgency)
        after = after.psychiatrist_informed(fact.urgency)
    after = _inform(fact, before, after, teller, tells=tells)
    if fact.decided_by and not fact.in_review:
        return _decided(fact, fact.decided_by, after, teller)
    return after


def _inform(fact: ReferralTriaged, before: Known, after: Known, teller: Teller, *, tells: bool) -> Known:
    """Clinic and primary care, of what is new: the urgency, a clinician's word, primary care's part."""
    part, reachable = _part_of_primary_care(fact), teller.reaches_primary_care(fact.clinic)
    if before.told is not fact.urgency or fact.decided_by:
        words = wording.triaged(
            fact.urgency,
            fact.respond_by,
            calls=after.waits_for(PSYCHIATRIST, fact.urgency)
            and teller.is_on_call(PSYCHIATRIST, fact.region),
            tells=tells,
            in_review=fact.in_review,
            part=part,
            reachable=reachable,
        )
        teller.tell(fact, words, urgency=fact.urgency)
    elif part and part != before.primary_care_told:
        words = [wording.primary_care_part(part, fact.respond_by, reachable=reachable)]
        teller.tell(fact, words, urgency=fact.urgency)
    return after.informed(fact.urgency).primary_care_informed(part)


def _part_of_primary_care(fact: ReferralTriaged) -> str | None:
    """The team is in the order in which the person meets it."""
    if "primary_care" not in fact.team:
        return None
    before_therapy = fact.team[: fact.team.index("therapist")] if "therapist" in fact.team else fact.team
    return wording.FIRST if "primary_care" in before_therapy else wording.BESIDE


def _review_requested(fact: ReviewRequested, before: Known, teller: Teller) -> Known:
    after = before.heard(fact.decision, fact.urgency)
    if not fact.asks_again:  # which says nothing of the case
        after = _ask_a_coordinator(fact, after, teller)
    on_team = "psychiatrist" in fact.team
    after = _call_psychiatrist(fact, fact.review_by, before, after, teller, on_team=on_team)
    words = wording.review(fact.urgency, fact.review_by, holds=fact.holds)
    if fact.restates:
        after = _call_again(fact, words, after, teller)
    elif after.calls_clinician(fact.urgency):
        after = _call(fact, words, after, teller)
    if fact.asks_again:
        teller.tell(fact, wording.ask_again(), urgency=fact.urgency)
    return after


def _call_psychiatrist(
    fact: Decision, by: datetime, before: Known, after: Known, teller: Teller, *, on_team: bool = False
) -> Known:
    words = [wording.called(fact.urgency, by, late=by <= teller.now)]
    if before.calls_psychiatrist(fact.urgency, on_team=on_team):
        return _call(fact, words, after, teller)
    if fact.restates and fact.restates.cannot_wait:
        return _call_again(fact, words, after, teller)
    return after


def _call_again(fact: Decision, words: list[Words], known: Known, teller: Teller) -> Known:
    """The newest request states anew what they were called for: an open alert is told again, whoever holds
    one is called first, else it begins with the first on call. Two facts of one request call once."""
    audience = words[0].audience
    assert fact.restates is not None, "called only for what is stated again"
    if not known.calls_again(audience, fact.revision):
        return known
    open_ = known.open_at(audience, fact.restates if audience == PSYCHIATRIST else fact.urgency)
    if open_ and teller.state_again(open_.notice):
        return known.called_for(audience, fact.revision)
    held = known.held_at(audience, fact.restates)
    return _call(fact, words, known, teller, first=held.by if held else None)


def _call(
    fact: Decision, words: list[Words], known: Known, teller: Teller, *, first: str | None = None
) -> Known:
    """The first of the words is the alert."""
    audience = words[0].audience
    told = teller.tell(fact, words, urgency=fact.urgency, first=first)
    return known.called(audience, fact.urgency, notice=told.get(audience), revision=fact.revision)


def _overdue(fact: ReviewOverdue, before: Known, teller: Teller) -> Known:
    """An alert that nobody has answered goes on by itself; one that was answered without a decision begins
    anew."""
    if before.over or not before.calls_clinician(fact.urgency):
        return before
    words = wording.overdue(fact.urgency, fact.review_by, unanswered=fact.unanswered)
    told = teller.tell(fact, words, urgency=fact.urgency)
    return before.called(call_state.CLINICIAN, fact.urgency, notice=told.get(call_state.CLINICIAN))


def _decided(fact: TriageFact, by: str, before: Known, teller: Teller) -> Known:
    """A named clinician decided: that is the answer to what clinicians were asked."""
    teller.plan.reviews.append(Reviewed(fact.referral_id, fact.decision, by))
    return before.reviewed()
