"""Where the logs end that a consumer reads: how far behind it is, and whether its broker lost one."""

import asyncio
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

Ends = dict[TopicPartition, int]

SECONDS: Final = 10
"""How often they are asked for, and how long that may take."""


async def find(reader: AIOKafkaConsumer) -> Ends:
    """Where the logs of this consumer's partitions end. Raises when Kafka does not answer, also without any.

    Asked of Kafka: what a consumer itself knows of them stands still while it is stuck.
    """
    partitions = sorted(reader.assignment())
    async with asyncio.timeout(SECONDS):
        if not partitions:
            await reader.topics()
            return {}
        found: Ends = await reader.end_offsets(partitions)
        return found


async def behind(reader: AIOKafkaConsumer, ends: Ends) -> int:
    """Records not yet read before these ends."""
    async with asyncio.timeout(SECONDS):
        return sum([max(0, end - await reader.position(one)) for one, end in ends.items()])


async def begun_anew(reader: AIOKafkaConsumer) -> list[TopicPartition]:
    """Partitions whose log ends before the place being read: their broker has lost it.

    Apache Kafka refuses such a place, and reading starts over; the embedded broker answers with nothing, for
    ever. The end is the one that came with the last fetch, which both tell exactly.
    """
    found = []
    async with asyncio.timeout(SECONDS):
        for one in sorted(reader.assignment()):
            end = reader.highwater(one)
            if end is not None and await reader.position(one) > end:
                found.append(one)
    return found


async def go_back(reader: AIOKafkaConsumer, partitions: list[TopicPartition]) -> None:
    """To where their logs begin, at once; `seek_to_beginning` leaves them without a place for seconds."""
    async with asyncio.timeout(SECONDS):
        for one, begin in (await reader.beginning_offsets(partitions)).items():
            reader.seek(one, begin)
