"""What the other tests rely on: a cluster survives a node, and an emptied one remembers nothing."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.events import Topic
from shared.kafka import client as kafka
from shared.settings import ServiceSettings
from tests.apache import probes
from tests.apache.cluster import KafkaCluster

TOPIC = Topic.INTAKE_REFERRALS
PARTITIONS = 3


def settings(cluster: KafkaCluster) -> ServiceSettings:
    return ServiceSettings.model_validate({**cluster.environment, "KAFKA_PARTITIONS": PARTITIONS})


async def leader(cluster: KafkaCluster) -> int:
    """Of the first partition."""
    async with probes.admin(cluster.bootstrap_servers) as admin:
        (topic,) = await admin.describe_topics([TOPIC])
    return next(int(each["leader"]) for each in topic["partitions"] if each["partition"] == 0)


async def send_all(producer: AIOKafkaProducer, numbers: range, done: list[int]) -> None:
    for number in numbers:
        await producer.send_and_wait(TOPIC, b"%d" % number, partition=number % PARTITIONS)
        done.append(number)


async def read_all(servers: str) -> dict[int, list[int]]:
    """Everything, by partition, in its order."""
    partitions = [TopicPartition(TOPIC, number) for number in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: dict[int, list[int]] = {one.partition: [] for one in partitions}
        while any([await consumer.position(one) < ends[one] for one in partitions]):
            records: dict[TopicPartition, list[Any]] = await consumer.getmany(timeout_ms=1_000)
            for one, batch in records.items():
                found[one.partition] += [int(record.value) for record in batch]
        return found
    finally:
        await consumer.stop()


async def test_a_leader_killed_while_facts_are_sent_loses_and_doubles_none(three_nodes: KafkaCluster) -> None:
    own = settings(three_nodes)
    await kafka.create_topics(own, {TOPIC})
    producer = await kafka.start_producer("test", own)
    sent: list[int] = []
    try:
        await send_all(producer, range(300), sent)
        killed = await leader(three_nodes)
        sending = asyncio.create_task(send_all(producer, range(300, 900), sent))
        while len(sent) < 400:
            await asyncio.sleep(0.005)
        three_nodes.kill(killed)
        await asyncio.wait_for(sending, 60)
        assert set(three_nodes.running) == {1, 2, 3} - {killed}
        three_nodes.launch(killed)
        await asyncio.to_thread(three_nodes.wait_ready)
        await asyncio.to_thread(three_nodes.wait_in_sync)
        await send_all(producer, range(900, 1_000), sent)
    finally:
        await producer.stop()
    expected = {part: list(range(part, 1_000, PARTITIONS)) for part in range(PARTITIONS)}
    assert await read_all(three_nodes.bootstrap_servers) == expected


async def test_an_emptied_broker_remembers_neither_records_nor_offsets(one_node: KafkaCluster) -> None:
    own = settings(one_node)
    partition = TopicPartition(TOPIC, 0)

    async def consumer() -> AIOKafkaConsumer:
        await kafka.create_topics(own, {TOPIC})
        made = AIOKafkaConsumer(
            bootstrap_servers=one_node.bootstrap_servers, group_id="group", enable_auto_commit=False
        )
        await made.start()
        made.assign([partition])
        return made

    before = await consumer()
    producer = await kafka.start_producer("test", own)
    await producer.send_and_wait(TOPIC, b"x", partition=0)
    await before.commit({partition: 1})
    assert await before.committed(partition) == 1
    await before.stop()
    await producer.stop()
    one_node.empty()
    assert await probes.topics(one_node.bootstrap_servers) == set()
    after = await consumer()
    assert await after.committed(partition) is None
    assert (await after.end_offsets([partition]))[partition] == 0
    await after.stop()
