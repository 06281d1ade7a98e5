"""Rounds of matching: load who is due, decide jointly, save the offers and publish them.

Express clients have rounds of their own and never queue behind a routine one. A client who loses a place to
another matcher, between the decision and the lock, is in the next round, which follows at once.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from services.matching import metrics, outgoing_events
from services.matching.db import offers, places, referrals
from services.matching.db.roster_cache import Snapshot
from services.matching.domain.proposals import Policy
from services.matching.domain.referrals import TriagedReferral
from services.matching.domain.round_decision import Verdict, decide, proposals
from shared.db import outbox
from shared.db.postgres import Connection, Pool, clock, transaction
from shared.ids import new_id
from shared.vocabulary import Urgency


@dataclass
class Matcher:
    """`committed` is called after a commit that published something."""

    pool: Callable[[], Pool]
    policy: Policy
    hours: Mapping[Urgency, float]
    round_size: int
    retry: timedelta
    committed: Callable[[], None]
    snapshot: Snapshot = field(default_factory=Snapshot)

    async def express(self) -> bool:
        return await self._match_due(express=True)

    async def routine(self) -> bool:
        return await self._match_due(express=False)

    async def _match_due(self, *, express: bool) -> bool:
        """Whether there may be more to do at once."""
        async with transaction(self.pool()) as connection:
            now = await clock(connection)
            due = await referrals.due(connection, express=express, now=now, limit=self.round_size)
            if not due:
                return False
            lost = await self.match(connection, due)
        self.committed()
        return lost > 0 or len(due) == self.round_size

    async def match(
        self, connection: Connection, due: Sequence[TriagedReferral], *, put_off: bool = True
    ) -> int:
        """One round for these, who are locked. Returns the number of clients who lost their place to another
        matcher. With `put_off`, who gets no offer is tried again later; without, at the time already set."""
        started, now = time.monotonic(), await clock(connection)
        await self.snapshot.refresh(connection)
        by_id = {referral.id: referral for referral in due}
        proposed = proposals(due, self.snapshot.roster, self.snapshot.areas, self.policy, now=now)
        free = await places.free(connection, proposed.therapist_ids) if proposed.proposals else {}
        verdict = decide(
            by_id,
            proposed,
            free,
            new_ids=_new_ids(),
            hours=self.hours,
            now=now,
            try_at=now + self.retry,
            put_off=put_off,
        )
        await _save(connection, verdict)
        events = outgoing_events.of_round(verdict, by_id, now=now)
        with outgoing_events.in_their_traces(by_id, events, since=now):
            await outbox.publish(connection, events)
        metrics.OFFERED.inc(len(verdict.offers))
        metrics.PLACES_LOST.inc(verdict.lost)
        metrics.ROUND_SECONDS.observe(time.monotonic() - started)
        return verdict.lost


def _new_ids() -> Iterator[UUID]:
    while True:
        yield new_id()


async def _save(connection: Connection, verdict: Verdict) -> None:
    if verdict.offers:
        await places.take(connection, Counter(offer.therapist_id for offer in verdict.offers))
        await offers.add(connection, verdict.offers)
        await referrals.offered(connection, verdict.offers, verdict.levels)
    if verdict.waitlisted:
        await referrals.waitlisted(connection, verdict.waitlisted, try_at=verdict.try_at)
