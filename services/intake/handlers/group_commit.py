"""Requests that wait at the same time share one transaction: one commit, one fsync for all of them.

Nobody waits for company. Who comes alone is served at once; who comes while others are being served goes with
whoever else has come meanwhile.
"""

import asyncio
import copy
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from shared.errors import Transient

T = TypeVar("T")
R = TypeVar("R")


class GroupCommit(Generic[T, R]):
    """`work` takes a list and returns as many results. If it fails because the world is not ready, it fails
    for all; for any other reason each is tried alone."""

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, most: int) -> None:
        self._work = work
        self._most = most
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._working: asyncio.Task[None] | None = None

    async def do(self, item: T) -> R:
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._serve(), name="gather")
        return await done

    async def _serve(self) -> None:
        while self._waiting:
            together = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            await self._serve_all(together)

    async def _serve_all(self, together: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await self._work([item for item, _ in together])
        except Exception as error:  # noqa: BLE001  # it is handed to those who wait
            if len(together) > 1 and not isinstance(error, Transient):
                for waiting in together:
                    await self._serve_all([waiting])
            else:
                _fail(together, error)
        else:
            for (_, done), result in zip(together, results, strict=True):
                if not done.done():
                    done.set_result(result)


def _fail(together: Sequence[tuple[T, asyncio.Future[R]]], error: Exception) -> None:
    for _, done in together:
        if not done.done():
            done.set_exception(copy.copy(error))
