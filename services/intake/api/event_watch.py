"""Who listens to a referral's events: one query now and then for all of them, and nobody holds a connection
while waiting."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from services.intake.db import referrals
from services.intake.domain.status import State
from shared.db.postgres import Pool, transaction
from shared.web.problems import Problem


@dataclass(frozen=True, slots=True)
class News:
    """What became known, by position in the timeline, and where the referral stands now."""

    facts: tuple[tuple[int, Mapping[str, Any]], ...]
    stands: Mapping[str, Any]

    @property
    def state(self) -> State:
        return State(self.stands["state"])


@dataclass(eq=False, slots=True)
class Listener:
    referral_id: UUID
    after: int
    news: asyncio.Queue[News] = field(default_factory=asyncio.Queue)


class Watch:
    def __init__(self, pool: Callable[[], Pool], *, most: int) -> None:
        self._pool = pool
        self._most = most
        self._listeners: set[Listener] = set()

    @contextmanager
    def listen(self, referral_id: UUID, *, after: int) -> Iterator[Listener]:
        """Raises `Problem` 429 when so many listen already."""
        self.check()
        listener = Listener(referral_id, after)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def check(self) -> None:
        if len(self._listeners) >= self._most:
            detail = f"{self._most} event streams are open. Ask for the referral itself, or try again later."
            raise Problem(429, "too_many_streams", detail, headers={"Retry-After": "30"})

    async def look(self) -> None:
        """Give every listener what is new for it."""
        listeners = list(self._listeners)
        if not listeners:
            return
        async with transaction(self._pool()) as connection:
            found = await referrals.news(connection, [(each.referral_id, each.after) for each in listeners])
        for place, listener in enumerate(listeners):
            if place in found:
                facts, stands = found[place]
                listener.after = max([listener.after, *(position for position, _ in facts)])
                listener.news.put_nowait(News(tuple(facts), stands))
