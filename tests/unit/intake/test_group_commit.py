"""Those who wait together are served together, and one who spoils it spoils it for themselves alone."""

import asyncio
from collections.abc import Sequence

import pytest

from services.intake.handlers.group_commit import GroupCommit
from shared.errors import Transient


class Kitchen:
    """Doubles numbers, one batch at a time, when it is let; refuses 13, and everything while it is shut."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()
        self.shut = False

    async def work(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        await self.open.wait()
        if self.shut:
            raise Transient("postgres:gone")
        if 13 in numbers:
            raise ValueError("13")
        return [2 * number for number in numbers]


async def gather(kitchen: Kitchen, *numbers: int, most: int = 100) -> list[int | BaseException]:
    gatherer = GroupCommit(kitchen.work, most=most)
    waiting = [asyncio.create_task(gatherer.do(number)) for number in numbers]
    while not kitchen.batches:
        await asyncio.sleep(0)
    kitchen.open.set()
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_who_comes_while_others_are_served_goes_with_the_next() -> None:
    kitchen = Kitchen()
    gatherer = GroupCommit(kitchen.work, most=3)
    first = asyncio.create_task(gatherer.do(1))
    while not kitchen.batches:
        await asyncio.sleep(0)
    later = [asyncio.create_task(gatherer.do(number)) for number in range(2, 7)]
    await asyncio.sleep(0)
    kitchen.open.set()
    assert await asyncio.gather(first, *later) == [2, 4, 6, 8, 10, 12]
    assert kitchen.batches == [[1], [2, 3, 4], [5, 6]]


async def test_one_that_cannot_be_served_fails_alone() -> None:
    kitchen = Kitchen()
    one, bad, other = await gather(kitchen, 1, 13, 3)
    assert (one, other) == (2, 6) and isinstance(bad, ValueError)
    assert kitchen.batches == [[1, 13, 3], [1], [13], [3]]


async def test_while_the_world_is_not_ready_nobody_is_tried_one_by_one() -> None:
    kitchen = Kitchen()
    kitchen.shut = True
    results = await gather(kitchen, 1, 2, 3)
    assert all(isinstance(result, Transient) for result in results)
    assert len({id(result) for result in results}) == 3 and kitchen.batches == [[1, 2, 3]]


async def test_one_who_has_gone_does_not_disturb_the_others() -> None:
    kitchen = Kitchen()
    gatherer = GroupCommit(kitchen.work, most=100)
    gone, stays = (asyncio.create_task(gatherer.do(number)) for number in (1, 2))
    while not kitchen.batches:
        await asyncio.sleep(0)
    gone.cancel()
    kitchen.open.set()
    assert await stays == 4
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await gatherer.do(5) == 10
