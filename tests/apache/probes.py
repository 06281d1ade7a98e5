"""What a Kafka cluster says of itself, asked through a real client, and how to empty it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, NoError, UnknownTopicOrPartitionError, for_code

from careroute.local.errors import StackError

MARK = "careroute.tests"


@asynccontextmanager
async def admin(servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=servers, request_timeout_ms=5_000)
    try:
        await client.start()
        yield client
    finally:
        await client.close()


async def brokers(servers: str) -> set[int]:
    """The numbers of those this one knows to be alive; empty if it does not answer."""
    with suppress(KafkaError, OSError):
        async with admin(servers) as client:
            return {broker["node_id"] for broker in (await client.describe_cluster())["brokers"]}
    return set()


async def lagging(servers: str) -> list[str]:
    """The partitions that lack a copy in sync; while nobody answers, who knows."""
    try:
        async with admin(servers) as client:
            topics = await client.describe_topics()
    except (KafkaError, OSError) as error:
        return [f"no answer ({type(error).__name__})"]
    return [
        f"{topic['topic']}/{partition['partition']}"
        for topic in topics
        for partition in topic["partitions"]
        if len(partition["isr"]) < len(partition["replicas"])
    ]


async def topics(servers: str) -> set[str]:
    """Without Kafka's own."""
    async with admin(servers) as client:
        return {name for name in await client.list_topics() if not name.startswith("__")}


async def empty(servers: str, *, keep: str | None = None, seconds: float = 30) -> None:
    """Deletes all topics, and with them what groups have committed; then waits until no group has a member.

    One that went without a word stays a member until its session is over.
    """
    until = time.monotonic() + seconds
    async with admin(servers) as client:
        while left := [*await _delete_topics(client, keep), *await _members(client)]:
            if time.monotonic() > until:
                raise AssertionError(f"Kafka could not be emptied in {seconds:g} s: {', '.join(left)}")
            await asyncio.sleep(0.05)


async def empty_if_given_to_tests(servers: str) -> None:
    """Refuses a Kafka that had topics before tests first met it: they may be somebody's."""
    found = await topics(servers)
    if found and MARK not in found:
        raise StackError(
            f"The Kafka at {servers} has topics ({', '.join(sorted(found)[:3])} ...) and tests delete all "
            "topics: let KAFKA_BOOTSTRAP_SERVERS name an empty one."
        )
    async with admin(servers) as client:
        if not found:
            await client.create_topics([NewTopic(MARK, num_partitions=1, replication_factor=1)])
    await empty(servers, keep=MARK)


async def _delete_topics(client: AIOKafkaAdminClient, keep: str | None) -> list[str]:
    """Those that the metadata still had, and so may have later than this."""
    names = [name for name in await client.list_topics() if not name.startswith("__") and name != keep]
    if names:
        for name, code in (await client.delete_topics(names)).topic_error_codes:
            error = for_code(code)
            if error not in (NoError, UnknownTopicOrPartitionError):
                raise error(name)
    return [f"topic {name}" for name in names]


async def _members(client: AIOKafkaAdminClient) -> list[str]:
    found = []
    for name, *_ in await client.list_consumer_groups():
        # One at a time: aiokafka 0.14 cannot read Apache Kafka's answer about several.
        for answer in await client.describe_consumer_groups([name]):
            found += [group for group in answer.to_object()["groups"] if group["members"]]
    return [f"a member of {group['group']}" for group in found]
