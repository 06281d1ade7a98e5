"""Rounds of matching: load who is due, decide jointly, take the places, announce.

Express clients have rounds of their own and never wait for a routine one. Who loses a place to another
matcher between the decision and the taking is in the next round, which follows at once.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.matching import metrics
from services.matching import outgoing_events as said
from services.matching.db import offers as offer_store
from services.matching.db import places, therapists
from services.matching.db import referrals as waitlist_store
from services.matching.db import vacancies as vacancy_store
from services.matching.db.offers import Offer
from services.matching.db.profiles import client_of
from services.matching.db.referral_rows import Referral, Wait
from services.matching.db.roster_cache import Snapshot
from services.matching.domain.offer_rules import expires_at, level, waited, waiting
from services.matching.domain.proposals import (
    NO_ELIGIBLE,
    NO_PLACE,
    ROSTER_EMPTY,
    Choice,
    Policy,
    Proposal,
    Waiting,
    Waitlisting,
    propose,
)
from shared.db import outbox
from shared.db.postgres import Connection, Pool, clock, transaction
from shared.events import Fact
from shared.ids import new_id
from shared.vocabulary import Urgency

VACANCIES: Final = 10_000
"""Looked at in one go, such as after a roster was imported."""


REASONS: Final = (NO_PLACE, NO_ELIGIBLE, ROSTER_EMPTY, "to_be_matched")


@dataclass
class Matcher:
    """`committed` is called after a commit that announced something."""

    pool: Callable[[], Pool]
    policy: Policy
    hours: Mapping[Urgency, float]
    round_size: int
    retry: timedelta
    committed: Callable[[], None]
    snapshot: Snapshot = field(default_factory=Snapshot)

    async def express(self) -> bool:
        return await self._due(express=True)

    async def routine(self) -> bool:
        return await self._due(express=False)

    async def _due(self, *, express: bool) -> bool:
        async with transaction(self.pool()) as connection:
            at = await clock(connection)
            due = await waitlist_store.due(connection, express=express, now=at, limit=self.round_size)
            if not due:
                return False
            lost = await self._round(connection, due)
        self.committed()
        return lost or len(due) == self.round_size

    async def measure(self) -> None:
        async with transaction(self.pool()) as connection:
            waiting = await waitlist_store.count_by_reason(connection)
            longest = await waitlist_store.longest_wait(connection)
            free, taken = await places.count(connection)
        for reason in REASONS:
            metrics.WAITING.labels(reason).set(waiting.get(reason, 0))
        for urgency in Urgency:
            metrics.LONGEST_WAIT.labels(urgency).set(longest.get(urgency, 0))
        metrics.PLACES.labels("open").set(free)
        metrics.PLACES.labels("taken").set(taken)

    async def vacancies(self) -> bool:
        """Offer what came free to those who wait, most urgent first, until taken or of no use to any."""
        async with transaction(self.pool()) as connection:
            found = await vacancy_store.load(connection, limit=VACANCIES)
            if not found:
                return False
            regions = await therapists.reached_by(connection, found.therapist_ids)
            ids = await waitlist_store.pool(connection, regions, everyone=found.entry)
        for start in range(0, len(ids), self.round_size):
            if not await self._offer_vacancies(ids[start : start + self.round_size], found.therapist_ids):
                break
        async with transaction(self.pool()) as connection:
            await vacancy_store.forget(connection, found.ids)
        return True

    async def _offer_vacancies(self, ids: Sequence[UUID], therapist_ids: Sequence[UUID]) -> bool:
        """One round; False when none of these therapists has a place any more."""
        async with transaction(self.pool()) as connection:
            await self.snapshot.refresh(connection)
            roster = self.snapshot.roster
            if not (roster.free[roster.rows(therapist_ids)] > 0).any():
                return False
            waiting = await waitlist_store.still_waiting(connection, ids)
            await self._round(connection, waiting, put_off=False)
        self.committed()
        return True

    async def _round(
        self, connection: Connection, referrals: Sequence[Referral], *, put_off: bool = True
    ) -> bool:
        """Whether somebody lost a place that the decision had given them. With `put_off`, who gets none is
        tried again later; without, at the time already set."""
        started, at = time.monotonic(), await clock(connection)
        await self.snapshot.refresh(connection)
        by_id = {referral.id: referral for referral in referrals}
        verdicts = propose([self._waiting(r, at) for r in referrals], self.snapshot.roster, self.policy)
        proposals = [v for v in verdicts if isinstance(v, Proposal)]
        won = await _take(connection, sorted(proposals, key=lambda p: -by_id[p.client_id].level))
        news = await self._offer(connection, won, by_id, at)
        waits = [
            v
            for v in verdicts
            if isinstance(v, Waitlisting) and (put_off or v.reason != by_id[v.client_id].reason)
        ]
        news += await self._wait(connection, waits, by_id, at)
        with said.caused(by_id, news, since=at):
            await outbox.publish(connection, news)
        metrics.OFFERED.inc(len(won))
        metrics.PLACES_LOST.inc(len(proposals) - len(won))
        metrics.ROUND_SECONDS.observe(time.monotonic() - started)
        return len(won) < len(proposals)

    def _waiting(self, referral: Referral, at: datetime) -> Waiting:
        targets = _targets_waited(referral, at)
        assert referral.needs is not None
        client = client_of(
            referral.id, referral.region, referral.needs, referral.declined, self.snapshot.areas
        )
        return Waiting(client, _level(referral, at), waiting(targets), referral.reason)

    async def _offer(
        self,
        connection: Connection,
        won: Sequence[Proposal],
        by_id: Mapping[UUID, Referral],
        at: datetime,
    ) -> list[Fact]:
        if not won:
            return []
        offers = [self._offer_of(proposal, by_id[proposal.client_id], at) for proposal in won]
        await offer_store.add(connection, offers)
        rows = [(o.referral_id, o.attempt, _level(by_id[o.referral_id], at), o.eligible) for o in offers]
        await waitlist_store.offered(connection, rows)
        return [said.proposed(by_id[o.referral_id], o, now=at) for o in offers]

    def _offer_of(self, proposal: Proposal, referral: Referral, at: datetime) -> Offer:
        assert referral.urgency is not None
        return Offer(
            id=new_id(),
            referral_id=referral.id,
            therapist_id=proposal.choice.therapist_id,
            attempt=referral.attempt + 1,
            offered_at=at,
            expires_at=expires_at(referral.urgency, at, self.hours),
            score=proposal.choice.score,
            criteria=_criteria(proposal.choice),
            runners_up=[_runner_up(choice) for choice in proposal.runners_up],
            eligible=proposal.eligible,
            considered=proposal.considered,
        )

    async def _wait(
        self,
        connection: Connection,
        waits: Sequence[Waitlisting],
        by_id: Mapping[UUID, Referral],
        at: datetime,
    ) -> list[Fact]:
        """Told when the reason is new, not at every try."""
        if not waits:
            return []
        try_at = at + self.retry
        rows = [_wait_of(verdict, _level(by_id[verdict.client_id], at)) for verdict in waits]
        await waitlist_store.waitlisted(connection, rows, try_at=try_at)
        return [
            said.waitlisted(by_id[row.id], row, now=at, try_at=try_at)
            for row in rows
            if row.reason != by_id[row.id].reason
        ]


async def _take(connection: Connection, proposals: Sequence[Proposal]) -> list[Proposal]:
    """Those whose place is still there, the first of the sequence first; their places are taken."""
    left = await places.free(connection, [p.choice.therapist_id for p in proposals]) if proposals else {}
    won: list[Proposal] = []
    for proposal in proposals:
        therapist_id = proposal.choice.therapist_id
        if left.get(therapist_id, 0) > 0:
            left[therapist_id] -= 1
            won.append(proposal)
    await places.take(connection, Counter(p.choice.therapist_id for p in won))
    return won


def _targets_waited(referral: Referral, at: datetime) -> float:
    assert referral.waiting_since is not None and referral.target is not None
    return waited(referral.waiting_since, at, referral.target)


def _level(referral: Referral, at: datetime) -> int:
    assert referral.urgency is not None
    return level(referral.urgency, _targets_waited(referral, at))


def _wait_of(verdict: Waitlisting, level: int) -> Wait:
    return Wait(
        id=verdict.client_id,
        level=level,
        reason=verdict.reason,
        eligible=verdict.eligible,
        relaxations=[{"limit": r.limit, "opens": r.opens} for r in verdict.relaxations],
    )


def _criteria(choice: Choice) -> list[dict[str, Any]]:
    return [{"criterion": c, "score": score, "weight": weight} for c, score, weight in choice.criteria]


def _runner_up(choice: Choice) -> dict[str, Any]:
    """Scores in the order of the criteria of the offer itself, which weigh the same for both."""
    scores = [score for _, score, _ in choice.criteria]
    return {"therapist_id": str(choice.therapist_id), "score": choice.score, "scores": scores}
