"""What events of triage change: the state of each referral, the offers that end, and what is published."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.matching.domain.eligibility import reasons
from services.matching.domain.offer_rules import CLOSED, NEEDS_CHANGED, expires_at
from services.matching.domain.offers import Offer, OfferOutcome, end
from services.matching.domain.profiles import Point, Therapist
from services.matching.domain.referrals import Referral, TriagedReferral
from services.matching.domain.state import State, without_place
from services.matching.domain.triage_changes import TriageChange, referrals_after, states_after
from shared.vocabulary import Urgency


@dataclass(frozen=True, slots=True)
class AtStake:
    """Referrals that hold a place and change: `placed` may lose it, and the therapist has to be eligible
    still for the `offered` among them."""

    placed: tuple[UUID, ...]
    offered: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Placements:
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


def at_stake(stored: Mapping[UUID, Referral], changes: Sequence[TriageChange]) -> AtStake:
    placed = {id_: r.matching_state for id_, r in stored.items() if r.state.has_place}
    after = states_after(placed, [change for change in changes if change.referral_id in placed])
    offered = [id_ for id_, state in after.items() if state.state is State.OFFERED]
    return AtStake(tuple(after), tuple(offered))


def decide(
    stored: Mapping[UUID, Referral],
    changes: Sequence[TriageChange],
    placements: Placements,
    *,
    now: datetime,
    hours: Mapping[Urgency, float],
) -> Verdict:
    """`hours` to respond to an offer, by urgency: a referral that became more urgent has less time left."""
    changed = referrals_after(stored, changes, now)
    ended = {
        id_: outcome
        for id_, referral in changed.items()
        if (offer := placements.offers.get(id_)) and (outcome := _outcome(referral, offer, placements))
    }
    final = {id_: _matched_anew(r, now) if id_ in ended else r for id_, r in changed.items()}
    return Verdict(
        referrals=tuple(final.values()),
        ended=tuple(ended.values()),
        sooner=tuple(
            (r.id, expires_at(r.urgency, now, hours))
            for r in final.values()
            if r.id in placements.offers and r.state is State.OFFERED and isinstance(r, TriagedReferral)
        ),
        publish=tuple(_publications(final.values(), stored, ended)),
    )


def _outcome(referral: Referral, offer: Offer, placements: Placements) -> OfferOutcome | None:
    if not referral.state.has_place:
        return end(offer, CLOSED)
    if referral.state is State.OFFERED and not _eligible(referral, offer, placements):
        return end(offer, NEEDS_CHANGED)
    return None


def _eligible(referral: Referral, offer: Offer, placements: Placements) -> bool:
    if not isinstance(referral, TriagedReferral):
        return True
    return not reasons(referral.client(placements.areas), placements.therapists[offer.therapist_id])


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
