"""The embedded broker speaks Kafka, forgets when killed, and comes back on its port."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from careroute.local.broker import Broker
from careroute.local.errors import StackError
from careroute.local.ports import free_port
from careroute.local.processes import Processes
from shared.kafka.client import create_topics
from shared.settings import ServiceSettings


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[list[Broker]]:
    """Two, side by side."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    pair = [Broker(Processes(folder), folder, free_port()) for folder in folders]
    for broker in pair:
        broker.start()
    yield pair
    for broker in pair:
        broker.processes.stop("kafka")


async def say(broker: Broker, text: bytes) -> None:
    await create_topics(
        ServiceSettings.model_validate({"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers}), {"greetings"}
    )
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers, acks="all")
    await producer.start()
    try:
        await producer.send_and_wait("greetings", text, key=b"key", headers=[("ce_id", b"1")])
    finally:
        await producer.stop()


async def hear(broker: Broker) -> bytes:
    consumer = AIOKafkaConsumer(
        "greetings", bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        message = await asyncio.wait_for(consumer.getone(), 30)
        assert (message.key, message.headers) == (b"key", (("ce_id", b"1"),))
        return bytes(message.value)
    finally:
        await consumer.stop()


async def test_two_brokers_carry_their_own_messages(brokers: list[Broker]) -> None:
    for number, broker in enumerate(brokers):
        await say(broker, b"from %d" % number)
    assert [await hear(broker) for broker in brokers] == [b"from 0", b"from 1"]


async def test_a_killed_broker_comes_back_empty_on_the_same_port(brokers: list[Broker]) -> None:
    broker = brokers[0]
    await say(broker, b"before")
    broker.processes.kill("kafka")
    assert not broker.answers()
    broker.start()
    await say(broker, b"after")
    assert await hear(broker) == b"after"


def test_it_listens_on_the_loopback_address_only(brokers: list[Broker]) -> None:
    sockets = psutil.Process(brokers[0].processes.pid("kafka")).net_connections("tcp")
    assert {each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def test_a_port_that_is_taken_meanwhile_is_told_with_the_log(brokers: list[Broker], tmp_path: Path) -> None:
    late = Broker(Processes(tmp_path), tmp_path, brokers[0].port)
    with pytest.raises(StackError, match=r"kafka ended with(.|\n)*Address in use"):
        late.start()
    late.processes.kill("kafka")
