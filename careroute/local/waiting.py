"""Waiting with a limit, from code that does not run in an event loop."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def until(condition: Callable[[], bool], seconds: float, pause: float = 0.03) -> bool:
    """Whether the condition came true in time."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= limit:
            return False
        time.sleep(pause)
    return True


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Like `asyncio.run`, but also where this thread already has a loop running (async tests)."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
