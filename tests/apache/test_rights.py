"""A Kafka that asks who somebody is lets each service's user do its own work, and not another's."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError

from careroute import rights
from careroute.local.errors import StackError
from shared.events import Topic
from shared.kafka import client as kafka
from shared.settings import ServiceSettings
from tests.apache.cluster import KafkaCluster

FACTS = Topic.INTAKE_REFERRALS


@pytest.fixture(scope="module", autouse=True)
def given(secured: KafkaCluster) -> None:
    asyncio.run(rights.give(settings(secured)))
    asyncio.run(rights.give(settings(secured)))  # twice is as once


def settings(cluster: KafkaCluster, **changes: Any) -> ServiceSettings:
    return ServiceSettings.model_validate(cluster.environment | {"KAFKA_PARTITIONS": 1} | changes)


def user(cluster: KafkaCluster, name: str) -> ServiceSettings:
    return settings(cluster, KAFKA_USERNAME=name)


async def say(own: ServiceSettings, topic: str) -> None:
    producer = await kafka.start_producer("test", own)
    try:
        await asyncio.wait_for(producer.send_and_wait(topic, b"hello"), 20)
    finally:
        await producer.stop()


async def read(own: ServiceSettings, topic: str, group: str) -> bytes:
    consumer = AIOKafkaConsumer(
        topic, **kafka.client_options(own), group_id=group, auto_offset_reset="earliest"
    )
    try:
        await asyncio.wait_for(consumer.start(), 20)
        value: bytes = (await asyncio.wait_for(consumer.getone(), 20)).value
        return value
    finally:
        await consumer.stop()


async def test_who_follows_reads_what_the_other_says_and_parks_what_it_cannot_take(
    secured: KafkaCluster,
) -> None:
    intake, triage = user(secured, "intake"), user(secured, "triage")
    await kafka.create_topics(triage, {str(FACTS), FACTS.dead("triage")})  # whoever starts first makes them
    await say(intake, FACTS)
    assert await read(triage, FACTS, "triage") == b"hello"
    await say(triage, FACTS.dead("triage"))


@pytest.mark.parametrize("name", ["triage", "matching", "notify"])
async def test_nobody_speaks_for_another(secured: KafkaCluster, name: str) -> None:
    await kafka.create_topics(user(secured, "intake"), {str(FACTS)})
    with pytest.raises(TopicAuthorizationFailedError):
        await say(user(secured, name), FACTS)


async def test_nobody_reads_what_is_not_for_them(secured: KafkaCluster) -> None:
    await kafka.create_topics(user(secured, "intake"), {str(FACTS)})
    with pytest.raises(TopicAuthorizationFailedError):
        await read(user(secured, "notify"), FACTS, "notify-triage")


async def test_nobody_takes_anothers_place_in_a_group(secured: KafkaCluster) -> None:
    await kafka.create_topics(user(secured, "triage"), {str(Topic.TRIAGE_DECISIONS)})
    with pytest.raises(GroupAuthorizationFailedError):
        await read(user(secured, "notify"), Topic.TRIAGE_DECISIONS, "matching")


async def test_a_service_gives_itself_no_rights(secured: KafkaCluster) -> None:
    with pytest.raises(StackError, match=r"super\.users"):
        await rights.give(user(secured, "notify"))


async def test_a_kafka_that_asks_nobody_says_so(one_node: KafkaCluster) -> None:
    with pytest.raises(StackError, match="no authorizer"):
        await rights.give(ServiceSettings.model_validate(one_node.environment))
