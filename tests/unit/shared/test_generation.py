"""A commit or a rewinding must not outlive the membership that read the batch."""

import asyncio
from typing import Final

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError

from shared.kafka.generation import Generation, GenerationReader

PLACE: Final = TopicPartition("intake.referrals.v1", 0)


class Reader:
    """As aiokafka: a commit is tried until `answered`, whoever the member has become by then."""

    def __init__(self) -> None:
        self.answered = asyncio.Event()
        self.asked = asyncio.Event()
        self.given_up = False
        self.committed = 0
        self.sought: list[tuple[TopicPartition, int]] = []

    async def commit(self) -> None:
        self.asked.set()
        try:
            await self.answered.wait()
        except asyncio.CancelledError:
            self.given_up = True
            raise
        self.committed += 1

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought.append((partition, offset))


async def test_a_commit_that_nobody_answers_ends_with_the_membership_and_is_not_tried_again() -> None:
    reader, generation = Reader(), Generation()
    committing = asyncio.create_task(GenerationReader(reader, generation, generation.number).commit())
    await reader.asked.wait()
    await generation.on_partitions_revoked([PLACE])
    await asyncio.wait_for(committing, 5)
    assert reader.given_up
    reader.answered.set()
    await asyncio.sleep(0)
    assert reader.committed == 0


async def test_what_a_former_membership_read_is_neither_committed_nor_rewound() -> None:
    reader, generation = Reader(), Generation()
    reader.answered.set()
    seat = GenerationReader(reader, generation, generation.number)
    await generation.on_partitions_revoked([PLACE])
    await generation.on_partitions_assigned([PLACE])
    await seat.commit()
    seat.seek(PLACE, 7)
    assert (reader.committed, reader.sought) == (0, [])


async def test_under_the_same_membership_both_reach_the_reader_once() -> None:
    reader, generation = Reader(), Generation()
    await generation.on_partitions_revoked([])
    await generation.on_partitions_assigned([PLACE])
    reader.answered.set()
    seat = GenerationReader(reader, generation, generation.number)
    await seat.commit()
    seat.seek(PLACE, 7)
    assert (reader.committed, reader.sought) == (1, [(PLACE, 7)])
    await generation.on_partitions_revoked([PLACE])  # nothing is under way any more
    assert not reader.given_up


@pytest.mark.parametrize("error", [CommitFailedError(), TimeoutError()])
async def test_what_goes_wrong_with_a_commit_is_told(error: Exception) -> None:
    class Refusing(Reader):
        async def commit(self) -> None:
            raise error

    generation = Generation()
    with pytest.raises(type(error)):
        await GenerationReader(Refusing(), generation, generation.number).commit()


async def test_whoever_stops_a_commit_is_not_told_that_it_ended_well() -> None:
    reader, generation = Reader(), Generation()
    committing = asyncio.create_task(GenerationReader(reader, generation, generation.number).commit())
    await reader.asked.wait()
    committing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await committing
    assert reader.given_up
