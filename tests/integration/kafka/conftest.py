"""An empty Kafka for each test: topics have fixed names, and a test must not read another's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from careroute.local.broker import Broker
from careroute.local.ports import free_port
from careroute.local.processes import Processes
from tests.brokers import Embedded, Kafka


@pytest.fixture
def embedded_kafka(tmp_path: Path) -> Iterator[Embedded]:
    processes = Processes(tmp_path)
    embedded = Embedded(Broker(processes, tmp_path, free_port()))
    embedded.start()
    yield embedded
    processes.stop("kafka")


@pytest.fixture
def kafka(outer_kafka: Kafka | None, request: pytest.FixtureRequest) -> Kafka:
    """It runs, and may be killed and started again."""
    if outer_kafka is None:
        embedded: Kafka = request.getfixturevalue("embedded_kafka")
        return embedded
    outer_kafka.empty()
    return outer_kafka


@pytest.fixture
def kafka_servers(kafka: Kafka) -> str:
    return kafka.bootstrap_servers
