"""A Kafka that somebody lends to the tests is emptied only if it was empty at first."""

import pytest

from careroute.local.errors import StackError
from shared import kafka as own
from shared.settings import ServiceSettings
from tests.apache import probes
from tests.brokers import Given, Kafka, given


async def make_topics(kafka: Kafka, *names: str) -> None:
    await own.create_topics(ServiceSettings.model_validate(kafka.environment), set(names))


async def test_a_kafka_with_somebodys_topics_is_left_alone(kafka: Kafka) -> None:
    await make_topics(kafka, "somebodys.topic")
    with pytest.raises(StackError, match="somebodys"):
        Given(kafka.bootstrap_servers, kafka.environment).empty()
    assert "somebodys.topic" in await probes.topics(kafka.bootstrap_servers)


async def test_one_that_was_empty_is_emptied_again_and_again(kafka: Kafka) -> None:
    lent = Given(kafka.bootstrap_servers, kafka.environment)
    for name in ("first.topic", "second.topic"):
        lent.empty()
        assert await probes.topics(kafka.bootstrap_servers) == {probes.MARK}
        await make_topics(kafka, name)


def test_the_environment_lends_it_with_its_settings() -> None:
    found = given({"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092", "KAFKA_IDEMPOTENCE": "false", "HOME": "/"})
    assert found == Given(
        "kafka:9092", {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092", "KAFKA_IDEMPOTENCE": "false"}
    )
    assert given({}) is None
