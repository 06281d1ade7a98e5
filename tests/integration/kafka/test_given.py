"""What the tests stand on; and a Kafka that somebody lends is emptied only if it was empty at first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from careroute.local.errors import StackError
from shared.kafka import client as own
from shared.settings import ServiceSettings
from tests.apache import probes
from tests.brokers import Embedded, Given, Kafka, given

ROOT = Path(__file__).parents[3]


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


def header(*options: str, **environment: str) -> list[str]:
    """What a run of the tests says it stands on; or, if it would not start, why."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "TEST_"))}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "tests/wire/test_facts.py", *options],
        cwd=ROOT,
        env=own | environment,
        capture_output=True,
        text=True,
    )
    said = (run.stdout + run.stderr).splitlines()
    return [line for line in said if line.startswith(("kafka: ", "postgres: ", "ERROR: "))]


LENT = {
    "KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092",
    "TEST_POSTGRES_URL": "postgresql://admin:secret@db.example/postgres",
}


def test_what_the_environment_names_comes_first_and_its_password_is_not_told() -> None:
    assert header(**LENT) == [
        "kafka: the one that KAFKA_BOOTSTRAP_SERVERS names, kafka.example:9092",
        "postgres: the one that TEST_POSTGRES_URL names, db.example:5432",
    ]


def test_a_lent_kafka_takes_one_test_at_a_time() -> None:
    (refusal,) = header("-n", "2", **LENT)
    assert refusal.endswith("they must run one at a time: say -n 0.")


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        pytest.param((), {"DOCKER_HOST": "unix:///there/is/none.sock"}, id="no engine"),
        pytest.param(("--no-containers",), {}, id="no containers wanted"),
        pytest.param((), {"KAFKA_IMAGE": "not/there:0", "POSTGRES_IMAGE": "not/there:0"}, id="no image"),
    ],
)
def test_without_an_engine_or_its_images_they_are_embedded(
    options: tuple[str, ...], environment: dict[str, str]
) -> None:
    kafka, postgres = header(*options, **environment)
    assert kafka.startswith("kafka: embedded")
    assert postgres.startswith("postgres: embedded")
