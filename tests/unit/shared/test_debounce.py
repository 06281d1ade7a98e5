"""Calls close together become one; none is lost."""

import asyncio

from shared.runtime.loops import debounce


async def test_those_who_ask_close_together_share_one_call_and_a_later_one_gets_its_own() -> None:
    called = asyncio.Event()
    times = 0

    def call() -> None:
        nonlocal times
        times += 1
        called.set()

    debounced = debounce(call, seconds=0.01)
    for wanted in (1, 2):
        for _ in range(5):
            debounced()
        assert times == wanted - 1, "not at once"
        await asyncio.wait_for(called.wait(), 5)
        called.clear()
        assert times == wanted
