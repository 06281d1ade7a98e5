"""What becomes of the proposals of one round, once it is certain which places are still free."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.matching.domain.offer_rules import expires_at, share_waited
from services.matching.domain.offers import Offer, RunnerUp
from services.matching.domain.profiles import Point
from services.matching.domain.proposals import Choice, Policy, Proposal, Waiting, Waitlisting, propose
from services.matching.domain.referrals import TriagedReferral, WaitlistEntry
from services.matching.domain.roster_columns import Roster
from shared.vocabulary import Urgency


@dataclass(frozen=True, slots=True)
class Proposed:
    """`proposals` are in the order in which they get the places that are left: the most urgent first."""

    proposals: tuple[Proposal, ...]
    waitlistings: tuple[Waitlisting, ...]

    @property
    def therapist_ids(self) -> list[UUID]:
        return [proposal.choice.therapist_id for proposal in self.proposals]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`lost` counts the clients whose place another matcher took meanwhile. `explained` are those of the
    `waitlisted` whose reason is new: only they are published."""

    offers: tuple[Offer, ...]
    levels: Mapping[UUID, int]
    waitlisted: tuple[WaitlistEntry, ...]
    explained: tuple[WaitlistEntry, ...]
    try_at: datetime
    lost: int


def proposals(
    referrals: Sequence[TriagedReferral],
    roster: Roster,
    areas: Mapping[str, Point],
    policy: Policy,
    *,
    now: datetime,
) -> Proposed:
    level = {referral.id: referral.level for referral in referrals}
    found = propose([_waiting(referral, areas, now) for referral in referrals], roster, policy)
    offered = [each for each in found if isinstance(each, Proposal)]
    return Proposed(
        tuple(sorted(offered, key=lambda proposal: -level[proposal.client_id])),
        tuple(each for each in found if isinstance(each, Waitlisting)),
    )


def _waiting(referral: TriagedReferral, areas: Mapping[str, Point], now: datetime) -> Waiting:
    share = share_waited(referral.targets_waited(now))
    return Waiting(referral.client(areas), referral.level_at(now), share, referral.reason)


def decide(
    referrals: Mapping[UUID, TriagedReferral],
    proposed: Proposed,
    free: Mapping[UUID, int],
    *,
    new_ids: Iterator[UUID],
    hours: Mapping[Urgency, float],
    now: datetime,
    try_at: datetime,
    put_off: bool,
) -> Verdict:
    """With `put_off`, who gets no offer is tried again at `try_at`; without, at the time already set."""
    won = _won(proposed.proposals, free)
    waitlisted = [
        _waitlisted(each, referrals[each.client_id], now)
        for each in proposed.waitlistings
        if put_off or each.reason != referrals[each.client_id].reason
    ]
    return Verdict(
        offers=tuple(_offer(p, referrals[p.client_id], next(new_ids), now, hours) for p in won),
        levels={p.client_id: referrals[p.client_id].level_at(now) for p in won},
        waitlisted=tuple(waitlisted),
        explained=tuple(each for each in waitlisted if each.reason != referrals[each.id].reason),
        try_at=try_at,
        lost=len(proposed.proposals) - len(won),
    )


def _won(proposals: Sequence[Proposal], free: Mapping[UUID, int]) -> list[Proposal]:
    left = dict(free)
    won: list[Proposal] = []
    for proposal in proposals:
        therapist_id = proposal.choice.therapist_id
        if left.get(therapist_id, 0) > 0:
            left[therapist_id] -= 1
            won.append(proposal)
    return won


def _offer(
    proposal: Proposal,
    referral: TriagedReferral,
    id_: UUID,
    now: datetime,
    hours: Mapping[Urgency, float],
) -> Offer:
    return Offer(
        id=id_,
        referral_id=referral.id,
        therapist_id=proposal.choice.therapist_id,
        attempt=referral.attempt + 1,
        offered_at=now,
        expires_at=expires_at(referral.urgency, now, hours),
        score=proposal.choice.score,
        criteria=proposal.choice.criteria,
        runners_up=tuple(_runner_up(choice) for choice in proposal.runners_up),
        eligible=proposal.eligible,
        considered=proposal.considered,
    )


def _runner_up(choice: Choice) -> RunnerUp:
    return RunnerUp(choice.therapist_id, choice.score, tuple(each.score for each in choice.criteria))


def _waitlisted(verdict: Waitlisting, referral: TriagedReferral, now: datetime) -> WaitlistEntry:
    return WaitlistEntry(
        id=referral.id,
        level=referral.level_at(now),
        reason=verdict.reason,
        eligible=verdict.eligible,
        relaxations=verdict.relaxations,
    )
