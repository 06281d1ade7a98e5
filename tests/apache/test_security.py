"""A Kafka that asks for TLS and a password lets in who has both, and nobody else."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from shared.kafka import client as kafka
from shared.kafka.connect_errors import KafkaGivesNoAnswer, KafkaHangsUp, KafkaIsNotTrusted, KafkaRefusesUs
from shared.settings import ServiceSettings
from tests.apache.cluster import KafkaCluster
from tests.apache.security import Security


def settings(cluster: KafkaCluster, **changes: Any) -> ServiceSettings:
    return ServiceSettings.model_validate(cluster.environment | {"KAFKA_PARTITIONS": 1} | changes)


async def test_with_the_password_and_the_authority_facts_flow(secured: KafkaCluster) -> None:
    own = settings(secured)
    await kafka.create_topics(own, {"topic"})
    producer = await kafka.start_producer("test", own)
    await producer.send_and_wait("topic", b"hello")
    await producer.stop()
    broker = kafka.make_broker("test", own)
    arrived: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    @broker.subscriber("topic", group_id="group", auto_offset_reset="earliest")
    async def take(body: bytes) -> None:
        arrived.set_result(body)

    async with broker:
        await broker.start()
        assert await asyncio.wait_for(arrived, 20) == b"hello"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"KAFKA_PASSWORD": "guessed"}, KafkaRefusesUs, id="wrong password"),
        pytest.param({"KAFKA_USERNAME": "somebody"}, KafkaRefusesUs, id="unknown user"),
        pytest.param({"KAFKA_SASL_MECHANISM": "PLAIN"}, KafkaRefusesUs, id="another mechanism"),
        pytest.param({"KAFKA_SECURITY": "SSL"}, KafkaHangsUp, id="no password"),
        pytest.param({"KAFKA_SECURITY": "SASL_PLAINTEXT"}, KafkaHangsUp, id="password in clear"),
        pytest.param({"KAFKA_SECURITY": "PLAINTEXT"}, KafkaHangsUp, id="neither"),
        pytest.param(
            {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}, KafkaGivesNoAnswer, id="there is nobody there"
        ),
    ],
)
async def test_without_either_nobody_gets_in_and_the_error_says_why(
    secured: KafkaCluster, changes: dict[str, str], told: type[KafkaError]
) -> None:
    with pytest.raises(told):
        await asyncio.wait_for(kafka.create_topics(settings(secured, **changes), {"theirs"}), 30)
    with pytest.raises(told):
        await asyncio.wait_for(kafka.start_producer("test", settings(secured, **changes)), 30)


async def test_a_kafka_of_another_authority_gets_no_password(secured: KafkaCluster, tmp_path: Path) -> None:
    other = Security.make(tmp_path)
    with pytest.raises(KafkaIsNotTrusted):
        await kafka.create_topics(settings(secured, KAFKA_CA_FILE=other.ca_file), {"theirs"})
