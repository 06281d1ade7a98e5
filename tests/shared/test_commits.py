"""A commit that nobody answers must not outlive the membership it was made under."""

import asyncio
from typing import Final

import pytest
from aiokafka import TopicPartition

from shared.commits import Commits

PLACE: Final = TopicPartition("intake.referrals.v1", 0)


class Reader:
    """Answers a commit when `answers` is set, and says what became of it."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.given_up = False
        self.committed = 0
        self.sought: list[tuple[TopicPartition, int]] = []

    async def commit(self) -> None:
        try:
            await self.answers.wait()
        except asyncio.CancelledError:
            self.given_up = True
            raise
        self.committed += 1

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought.append((partition, offset))


async def test_a_commit_that_nobody_answers_is_given_up_and_not_tried_again_behind_our_back() -> None:
    reader = Reader()
    await Commits(reader, seconds=0.01).commit()
    assert reader.given_up
    reader.answers.set()
    await asyncio.sleep(0)
    assert reader.committed == 0


async def test_a_commit_that_is_answered_is_made_once() -> None:
    reader = Reader()
    reader.answers.set()
    await Commits(reader).commit()
    assert reader.committed == 1


async def test_what_goes_wrong_is_told_and_rewinding_reaches_the_reader() -> None:
    class Refusing(Reader):
        async def commit(self) -> None:
            raise ConnectionError

    reader = Refusing()
    with pytest.raises(ConnectionError):
        await Commits(reader).commit()
    Commits(reader).seek(PLACE, 7)
    assert reader.sought == [(PLACE, 7)]
