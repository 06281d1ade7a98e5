"""Who reads which topic, and how much each has not read yet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.events import Topic


@asynccontextmanager
async def _admin(servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def readers(servers: str) -> dict[str, list[str]]:
    """The groups of each topic, known by their parking places."""
    async with _admin(servers) as admin:
        names: list[str] = await admin.list_topics()
    return {
        topic: [
            name.removeprefix(f"{topic}.").removesuffix(".dead")
            for name in names
            if name.startswith(f"{topic}.") and name.endswith(".dead")
        ]
        for topic in Topic
    }


async def unread(servers: str, *, without: Topic) -> int:
    """Records that groups have not said to be done, all together, but for those of one topic."""
    groups = {t: names for t, names in (await readers(servers)).items() if names and t != without}
    committed: dict[tuple[str, TopicPartition], int] = {}
    async with _admin(servers) as admin:
        for group in {name for names in groups.values() for name in names}:
            for partition, offset in (await admin.list_consumer_group_offsets(group)).items():
                committed[group, partition] = offset.offset
        partitions = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in await admin.describe_topics(list(groups))
            for partition in topic["partitions"]
        ]
    async with AIOKafkaConsumer(bootstrap_servers=servers) as consumer:
        ends = await consumer.end_offsets(partitions)
    return sum(
        end - committed.get((group, partition), 0)
        for partition, end in ends.items()
        for group in groups[partition.topic]
    )
