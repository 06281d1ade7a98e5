"""What events of triage change: the state of each referral, the offers that end, and what is published."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.matching.domain.client_needs import ClientNeeds
from services.matching.domain.eligibility import reasons
from services.matching.domain.offer_rules import CLOSED, NEEDS_CHANGED, expires_at, level, waited
from services.matching.domain.offers import Offer, OfferOutcome, end
from services.matching.domain.profiles import Point, Therapist
from services.matching.domain.referrals import Referral, TriagedReferral, as_triaged
from services.matching.domain.state import State, TriageOutcome, state_after, without_place
from shared.vocabulary import Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageChange:
    """One event of triage, as far as matching acts on it."""

    referral_id: UUID
    outcome: TriageOutcome
    revision: int
    decision: int
    clinic: str
    region: str
    express: bool
    closed_reason: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Triaged(TriageChange):
    occurred_at: datetime
    urgency: Urgency
    respond_by: datetime
    needs: ClientNeeds


@dataclass(frozen=True, slots=True)
class AtStake:
    """Referrals that hold a place and change: `placed` may lose it, and the therapist has to be eligible
    still for the `offered` among them."""

    placed: tuple[UUID, ...]
    offered: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """The offers of those at stake, by referral, and what is known of the therapists of open ones."""

    offers: Mapping[UUID, Offer]
    therapists: Mapping[UUID, Therapist]
    areas: Mapping[str, Point]


@dataclass(frozen=True, slots=True)
class OfferWithdrawn:
    """To publish: the client needs somebody else, and is matched anew."""

    referral: TriagedReferral
    offer: Offer
    reason: str


@dataclass(frozen=True, slots=True)
class MatchingClosed:
    """To publish: the referral is over. `offer` is the one that held a place."""

    referral: TriagedReferral
    reason: str
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class Verdict:
    referrals: tuple[Referral, ...]
    ended: tuple[OfferOutcome, ...]
    sooner: tuple[tuple[UUID, datetime], ...]
    publish: tuple[OfferWithdrawn | MatchingClosed, ...]

    @property
    def places_freed(self) -> list[UUID]:
        return [outcome.offer.therapist_id for outcome in self.ended]


def at_stake(stored: Mapping[UUID, Referral], changes: Sequence[TriageChange], *, now: datetime) -> AtStake:
    changed = _after(stored, changes, now)
    placed = [id_ for id_ in changed if id_ in stored and stored[id_].state.has_place]
    offered = [id_ for id_ in placed if changed[id_].state is State.OFFERED]
    return AtStake(tuple(placed), tuple(offered))


def decide(
    stored: Mapping[UUID, Referral],
    changes: Sequence[TriageChange],
    held: Held,
    *,
    now: datetime,
    hours: Mapping[Urgency, float],
) -> Verdict:
    """`hours` to respond to an offer, by urgency: a referral that became more urgent has less time left."""
    changed = _after(stored, changes, now)
    ended = {
        id_: outcome
        for id_, offer in held.offers.items()
        if (outcome := _outcome(changed[id_], offer, held)) is not None
    }
    final = {id_: _matched_anew(r, now) if id_ in ended else r for id_, r in changed.items()}
    return Verdict(
        referrals=tuple(final.values()),
        ended=tuple(ended.values()),
        sooner=tuple(
            (r.id, expires_at(r.urgency, now, hours))
            for r in final.values()
            if r.id in held.offers and r.state is State.OFFERED and isinstance(r, TriagedReferral)
        ),
        publish=tuple(_publications(final.values(), stored, ended)),
    )


def _after(
    stored: Mapping[UUID, Referral], changes: Iterable[TriageChange], now: datetime
) -> dict[UUID, Referral]:
    """The referrals that change, as they are after all of these, before it is known which offers end."""
    after = dict(stored)
    for change in changes:
        if (referral := referral_after(after.get(change.referral_id), change, now=now)) is not None:
            after[change.referral_id] = referral
    return {id_: referral for id_, referral in after.items() if referral is not stored.get(id_)}


def referral_after(before: Referral | None, change: TriageChange, *, now: datetime) -> Referral | None:
    """None when the event changes nothing."""
    state = state_after(
        before.matching_state if before else None,
        change.outcome,
        revision=change.revision,
        decision=change.decision,
    )
    if state is None:
        return None
    base = before or _unknown(change)
    next_ = replace(
        base,
        clinic=change.clinic,
        region=change.region,
        revision=state.revision,
        decision=state.decision,
        state=state.state,
        held=state.held,
        closed_by=state.closed_by,
        closed_reason=_closed_reason(base, change) if state.state is State.CLOSED else None,
        express=base.express or change.express,
        traceparent=change.traceparent,
    )
    return _triaged(next_, base, change, now) if isinstance(change, Triaged) else next_


def _unknown(change: TriageChange) -> Referral:
    return Referral(
        id=change.referral_id,
        clinic=change.clinic,
        region=change.region,
        revision=0,
        decision=0,
        state=State.HELD,
    )


def _closed_reason(base: Referral, change: TriageChange) -> str | None:
    return base.closed_reason if base.state is State.CLOSED else change.closed_reason


def _triaged(next_: Referral, base: Referral, change: Triaged, now: datetime) -> TriagedReferral:
    """Waiting counts from when it was first triaged, unless it was over since; the newest target counts."""
    waits_since = base.waiting_since if base.state is not State.CLOSED else None
    since = waits_since or change.occurred_at
    target = change.respond_by - change.occurred_at
    return as_triaged(
        next_,
        express=next_.express or change.urgency.cannot_wait,
        urgency=change.urgency,
        waiting_since=since,
        target=target,
        needs=change.needs,
        level=level(change.urgency, waited(since, now, target)),
        try_at=now,
        reason=None,
    )


def _outcome(referral: Referral, offer: Offer, held: Held) -> OfferOutcome | None:
    if referral.state is State.OFFERED and not _eligible(referral, offer, held):
        return end(offer, NEEDS_CHANGED)
    return None if referral.state.has_place else end(offer, CLOSED)


def _eligible(referral: Referral, offer: Offer, held: Held) -> bool:
    if not isinstance(referral, TriagedReferral):
        return True
    return not reasons(referral.client(held.areas), held.therapists[offer.therapist_id])


def _matched_anew(referral: Referral, now: datetime) -> Referral:
    if referral.state is not State.OFFERED:
        return referral
    return replace(referral, state=without_place(held=referral.held), try_at=now)


def _publications(
    changed: Iterable[Referral], stored: Mapping[UUID, Referral], ended: Mapping[UUID, OfferOutcome]
) -> Iterable[OfferWithdrawn | MatchingClosed]:
    """Nothing is published of a referral that was never triaged."""
    for referral in changed:
        if not isinstance(referral, TriagedReferral):
            continue
        before, outcome = stored.get(referral.id), ended.get(referral.id)
        offer = outcome.offer if outcome else None
        if referral.state is not State.CLOSED:
            if offer:
                yield OfferWithdrawn(referral, offer, NEEDS_CHANGED)
        elif before is None or before.state is not State.CLOSED:
            yield MatchingClosed(referral, referral.closed_reason or CLOSED, offer)
