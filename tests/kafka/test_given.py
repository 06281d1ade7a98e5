"""A Kafka that somebody lends to the tests is emptied only if it was empty at first."""

import pytest

from careroute.local.errors import StackError
from shared import kafka as own
from shared.settings import ServiceSettings
from tests.apache import probes
from tests.brokers import Embedded, Given, Kafka, given


async def make_topics(kafka: Kafka, *names: str) -> None:
    await own.create_topics(ServiceSettings.model_validate(kafka.environment), set(names))


async def test_a_kafka_with_somebodys_topics_is_left_alone(embedded_kafka: Embedded) -> None:
    await make_topics(embedded_kafka, "somebodys.topic")
    with pytest.raises(StackError, match="somebodys"):
        Given(embedded_kafka.bootstrap_servers, embedded_kafka.environment).empty()
    assert "somebodys.topic" in await probes.topics(embedded_kafka.bootstrap_servers)


async def test_one_that_was_empty_is_emptied_again_and_again(embedded_kafka: Embedded) -> None:
    lent = Given(embedded_kafka.bootstrap_servers, embedded_kafka.environment)
    for name in ("first.topic", "second.topic"):
        lent.empty()
        assert await probes.topics(embedded_kafka.bootstrap_servers) == {probes.MARK}
        await make_topics(embedded_kafka, name)


def test_the_environment_lends_it_with_its_settings() -> None:
    found = given({"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092", "KAFKA_IDEMPOTENCE": "false", "HOME": "/"})
    assert found == Given(
        "kafka:9092", {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092", "KAFKA_IDEMPOTENCE": "false"}
    )
    assert given({}) is None
