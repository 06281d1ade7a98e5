"""Triage says something: a referral joins the pool, is held for a clinician, or is over.

Nobody is matched here: the rounds of `matcher.py` are woken by the commit. So a batch stays short, and an
express client never stands behind the matching of a routine one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.matching import network_terms
from services.matching import outgoing_events as said
from services.matching.db import offers as offer_store
from services.matching.db import places, referrals, therapists
from services.matching.db.offers import Answer, Offer
from services.matching.db.profiles import client_of, therapist_of
from services.matching.db.referral_rows import Referral
from services.matching.db.roster_cache import Snapshot
from services.matching.domain.eligibility import reasons
from services.matching.domain.offer_rules import CLOSED, LEVELS, NEEDS_CHANGED, expires_at, level, waited
from services.matching.domain.profiles import area_code
from services.matching.domain.state import Said, State, after, waits
from shared.db import inbox, outbox
from shared.db.postgres import Connection, clock
from shared.events import (
    AnyFact,
    Fact,
    ReferralReturned,
    ReferralTriaged,
    ReviewRequested,
    TriageEnded,
    TriageFact,
)
from shared.network import NOTHING_CHECKED, Network
from shared.telemetry import trace
from shared.vocabulary import Urgency

CONSUMER: Final = "matching"
"""One name for both lanes: a fact that came by the other lane has been acted on as well."""

MEDICATION: Final = "medication_review"


@dataclass(frozen=True)
class OnTriaged:
    """`hours` to answer an offer, by urgency."""

    hours: Mapping[Urgency, float]
    snapshot: Snapshot
    network: Network = NOTHING_CHECKED

    async def __call__(self, connection: Connection, facts: Sequence[AnyFact]) -> None:
        fresh = await inbox.claim(connection, CONSUMER, [f for f in facts if isinstance(f, TriageFact)])
        claimed = network_terms.facts_in(self.network, fresh)
        if not claimed:
            return
        known = await referrals.load(connection, {fact.referral_id for fact in claimed})
        at = await clock(connection)
        becomes = dict(known)
        for fact in claimed:
            if (referral := become(becomes.get(fact.referral_id), fact, now=at)) is not None:
                becomes[fact.referral_id] = referral
        changed = [referral for id_, referral in becomes.items() if referral is not known.get(id_)]
        lost = await self._taken_back(connection, changed, known, at)
        changed = [_waits(r, at) if r.id in lost and r.state is State.OFFERED else r for r in changed]
        await referrals.save(connection, changed, known=known)
        await outbox.publish(connection, _news(changed, known, lost, at))

    async def _taken_back(
        self,
        connection: Connection,
        changed: Sequence[Referral],
        known: Mapping[UUID, Referral],
        at: datetime,
    ) -> dict[UUID, Offer]:
        """Offers that end here: the referral is over, or the therapist no longer fits what is needed."""
        held = [r for r in changed if r.id in known and known[r.id].state.has_place]
        if not held:
            return {}
        offers = {
            offer.referral_id: offer for offer in await offer_store.holding(connection, [r.id for r in held])
        }
        unfit = await self._unfit(connection, [r for r in held if r.state is State.OFFERED], offers)
        answers = [
            _ends(offers[r.id], NEEDS_CHANGED if r.id in unfit else CLOSED)
            for r in held
            if r.id in offers and (r.id in unfit or not r.state.has_place)
        ]
        await offer_store.answer(connection, answers, now=at)
        await places.give_back(connection, [answer.offer.therapist_id for answer in answers])
        await self._hurry(connection, held, at)
        return {answer.offer.referral_id: answer.offer for answer in answers}

    async def _unfit(
        self, connection: Connection, offered: Sequence[Referral], offers: Mapping[UUID, Offer]
    ) -> set[UUID]:
        if not offered:
            return set()
        await self.snapshot.refresh(connection)
        rows = await therapists.load(connection, [offers[r.id].therapist_id for r in offered])
        return {
            referral.id
            for referral in offered
            if not self._fits(referral, rows[offers[referral.id].therapist_id])
        }

    def _fits(self, referral: Referral, row: therapists.Row) -> bool:
        assert referral.needs is not None
        areas = self.snapshot.areas
        client = client_of(referral.id, referral.region, referral.needs, referral.declined, areas)
        therapist = therapist_of(
            row.id, row.entry, version=row.version, places_taken=row.places_taken, areas=areas
        )
        return not reasons(client, therapist)

    async def _hurry(self, connection: Connection, held: Sequence[Referral], at: datetime) -> None:
        """Who became more urgent is answered sooner."""
        offered = [(r.id, r.urgency) for r in held if r.state is State.OFFERED and r.urgency]
        await offer_store.sooner(
            connection, [(id_, expires_at(urgency, at, self.hours)) for id_, urgency in offered]
        )


def become(referral: Referral | None, fact: TriageFact, *, now: datetime) -> Referral | None:
    """The referral as it stands after this fact; None when the fact changes nothing."""
    word = _word(fact)
    standing = word and after(
        referral.standing if referral else None, word, revision=fact.revision, decision=fact.decision
    )
    if not standing:
        return None
    base = referral or Referral(
        id=fact.referral_id, clinic=fact.clinic, region=fact.region, revision=0, decision=0, state=State.HELD
    )
    next_ = replace(
        base,
        clinic=fact.clinic,
        region=fact.region,
        revision=standing.revision,
        decision=standing.decision,
        state=standing.state,
        held=standing.held,
        closed_by=standing.closed_by,
        closed_reason=_closed_reason(fact) if standing.state is State.CLOSED else None,
        express=base.express or fact.express,
        traceparent=trace.cause_of(fact.referral_id),
    )
    if standing.state is State.CLOSED and base.state is State.CLOSED:
        next_ = replace(next_, closed_reason=base.closed_reason)
    return _triaged(next_, base, fact, now) if isinstance(fact, ReferralTriaged) else next_


def _word(fact: TriageFact) -> Said | None:
    match fact:
        case ReferralTriaged():
            return Said.TRIAGED
        case ReferralReturned() | TriageEnded():
            return Said.OVER
        case ReviewRequested(holds=True):
            return Said.HOLDS
        case _:
            return None


def _triaged(next_: Referral, base: Referral, fact: ReferralTriaged, now: datetime) -> Referral:
    """Waiting counts from when it first joined, until it was over; the target is the newest."""
    stays = base.waiting_since is not None and base.state is not State.CLOSED
    since = base.waiting_since if stays and base.waiting_since else fact.occurred_at
    target = fact.respond_by - fact.occurred_at
    return replace(
        next_,
        express=next_.express or LEVELS[fact.urgency] >= LEVELS[Urgency.VERY_URGENT],
        urgency=fact.urgency,
        waiting_since=since,
        target=target,
        needs=needs_of(fact),
        level=level(fact.urgency, waited(since, now, target)),
        try_at=now,
        reason=None,
    )


def _waits(referral: Referral, now: datetime) -> Referral:
    return replace(referral, state=waits(held=referral.held), try_at=now)


def _closed_reason(fact: TriageFact) -> str | None:
    if isinstance(fact, ReferralReturned):
        return "returned"
    return fact.reason if isinstance(fact, TriageEnded) else None


def _ends(offer: Offer, reason: str) -> Answer:
    state = "ended" if offer.state == "accepted" else "released"
    return Answer(offer=offer, state=state, reason=reason)


def needs_of(fact: ReferralTriaged) -> dict[str, Any]:
    """What is kept to match by. Where therapy is indicated, a review of medication is not what decides."""
    first = {i.modality for i in fact.indications if i.strength == "first_line"}
    other = {i.modality for i in fact.indications if i.strength == "alternative"}
    if (first | other) - {MEDICATION}:
        first, other = first - {MEDICATION}, other - {MEDICATION}
    kept = fact.needs.model_dump(
        mode="json",
        include={
            "age",
            "perinatal",
            "languages",
            "interpreter_ok",
            "area",
            "payer",
            "problems",
            "wishes",
        },
    )
    kept["area"] = kept["area"] and area_code(kept["area"])
    return {**kept, "first_line": sorted(first), "alternatives": sorted(other - first)}


def _news(
    changed: Sequence[Referral],
    known: Mapping[UUID, Referral],
    lost: Mapping[UUID, Offer],
    at: datetime,
) -> list[Fact]:
    """An offer taken back, a referral closed; of a referral never matched there is nothing to say."""
    news: list[Fact] = []
    for referral in changed:
        before = known.get(referral.id)
        if referral.id in lost and referral.state is not State.CLOSED:
            news.append(said.declined(referral, lost[referral.id], NEEDS_CHANGED, now=at, answered=False))
        over = referral.state is State.CLOSED and not (before and before.state is State.CLOSED)
        if over and referral.urgency:
            news.append(
                said.closed(referral, referral.closed_reason or CLOSED, lost.get(referral.id), now=at)
            )
    return news
