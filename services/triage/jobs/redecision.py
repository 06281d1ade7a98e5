"""Every open referral is decided again by the present rules; those raised are published one by one.

Called by `careroute redecide`. Safe to stop, to run twice and to run by several at once: a referral that
these rules have decided carries their digest, and its row is locked while it is decided.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.triage.case_mapping import charts_of
from services.triage.db import redecision, referrals
from services.triage.db.redecision import Stored
from services.triage.db.referrals import Referral
from services.triage.domain.policy import Policy
from services.triage.domain.redecision import Redecided, redecide
from services.triage.outgoing_events import decision_of
from shared.db import outbox
from shared.db.postgres import Connection, Pool, transaction
from shared.ids import now as present
from shared.vocabulary import Urgency

BATCH: Final = 100
FIRST: Final = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """`before` and `urgency` are alike where only a review or the team is new."""

    referral_id: UUID
    before: Urgency | None
    urgency: Urgency | None
    because: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Found:
    """`over`: care has ended, which triage itself does not know. `unreadable`: this version cannot read the
    stored case, so a person must look."""

    raised: list[Raised] = field(default_factory=list)
    unchanged: int = 0
    over: int = 0
    unreadable: list[UUID] = field(default_factory=list)

    @property
    def looked_at(self) -> int:
        return len(self.raised) + self.unchanged + self.over + len(self.unreadable)


async def _none_over(_: Sequence[UUID]) -> set[UUID]:
    return set()


async def _at_once() -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Redecider:
    """`care_over` returns those referrals whose care has ended. With `everyone`, referrals that these rules
    have decided already are decided again too."""

    pool: Pool
    policy: Policy
    everyone: bool = False
    care_over: Callable[[Sequence[UUID]], Awaitable[set[UUID]]] = _none_over
    clock: Callable[[], datetime] = present

    async def survey(self, *, writes: bool, progress: Callable[[int], None] = lambda _: None) -> Found:
        """Who would be raised, the most urgent first. With `writes` the others are marked as decided."""
        found, after = Found(), FIRST
        while ids := await self._next(after):
            after = ids[-1]
            await self._look(ids, found, writes=writes)
            progress(found.looked_at)
        found.raised.sort(key=_precedence)
        return found

    async def publish(
        self,
        raised: Sequence[Raised],
        *,
        per_second: float,
        progress: Callable[[int], None] = lambda _: None,
        until_sent: Callable[[], Awaitable[None]] = _at_once,
    ) -> list[Raised]:
        """Decides each again, in this order, and returns those that were raised here. `until_sent` returns
        when what was published before has been sent."""
        done: list[Raised] = []
        for one in raised:
            if done:
                await asyncio.sleep(1 / per_second)
            await until_sent()
            if (again := await self._publish(one.referral_id)) is not None:
                done.append(again)
                progress(len(done))
        return done

    async def _next(self, after: UUID) -> list[UUID]:
        async with transaction(self.pool) as connection:
            return await redecision.older(
                connection, self.policy.digest, everyone=self.everyone, after=after, limit=BATCH
            )

    async def _look(self, ids: list[UUID], found: Found, *, writes: bool) -> None:
        over, now = await self.care_over(ids), self.clock()
        marked: dict[UUID, Urgency | None] = {}
        async with transaction(self.pool) as connection:
            for stored in await self._load(connection, ids, lock=writes):
                id_ = stored.referral.state.referral_id
                if id_ in over:
                    found.over += 1
                    marked[id_] = None
                elif (again := self._decide(stored, now)) is None:
                    found.unreadable.append(id_)
                elif again.raised:
                    found.raised.append(_raised(again))
                else:
                    found.unchanged += 1
                    marked[id_] = again.outcome.state.asks_for
            if writes:
                await redecision.mark(connection, marked, self.policy.digest)

    async def _publish(self, referral_id: UUID) -> Raised | None:
        """None where it needs no raise any more: another run or a newer decision has raised it."""
        over, now = await self.care_over([referral_id]), self.clock()
        async with transaction(self.pool) as connection:
            stored = await self._load(connection, [referral_id], lock=True)
            if over or not stored or (again := self._decide(stored[0], now)) is None:
                return None
            if not again.raised:
                marked = {referral_id: again.outcome.state.asks_for}
                await redecision.mark(connection, marked, self.policy.digest)
                return None
            decision = decision_of(again.outcome, stored[0].referral.case, self.policy, now=now)
            kept = replace(decision, referral=Referral(again.outcome.state))  # the case stays as it is stored
            await referrals.save(connection, [kept])
            await outbox.publish(connection, decision.events)
        return _raised(again)

    async def _load(self, connection: Connection, ids: list[UUID], *, lock: bool) -> list[Stored]:
        return await redecision.load(connection, ids, self.policy.digest, everyone=self.everyone, lock=lock)

    def _decide(self, stored: Stored, now: datetime) -> Redecided | None:
        """None where this version cannot read the stored case."""
        state, case = stored.referral.state, stored.referral.case
        if case is None:
            return None
        return redecide(state, charts_of(case), self.policy, now=now, team_told=stored.team_told)


def _raised(again: Redecided) -> Raised:
    return Raised(
        referral_id=again.outcome.state.referral_id,
        before=again.before,
        urgency=again.urgency,
        because=again.because,
    )


def _precedence(one: Raised) -> tuple[int, bool, UUID]:
    """The most urgent first; of these, who was raised before who only gets a review."""
    rank = one.urgency.rank if one.urgency else len(Urgency)
    return rank, one.before is one.urgency, one.referral_id
