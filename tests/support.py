"""What several tests share."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.db.postgres import Pool

NewDatabase = Callable[[str], Awaitable[Pool]]

T = TypeVar("T")


async def eventually(probe: Callable[[], Awaitable[T | None]], *, seconds: float = 20, what: str = "it") -> T:
    """Ask again and again until the answer is true; fail, saying the last answer, at the deadline."""
    until = time.monotonic() + seconds
    while True:
        answer = await probe()
        if answer:
            return answer
        if time.monotonic() > until:
            raise AssertionError(f"{what} did not happen within {seconds:g} s; last answer: {answer!r}")
        await asyncio.sleep(0.02)
