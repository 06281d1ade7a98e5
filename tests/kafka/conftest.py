"""An empty Kafka for each test: topics have fixed names, and a test must not read another's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from careroute.local.broker import Broker
from careroute.local.ports import free_port
from careroute.local.processes import Processes
from tests.brokers import Embedded, Kafka


@pytest.fixture
def kafka(outer_kafka: Kafka | None, tmp_path: Path) -> Iterator[Kafka]:
    """It runs, and may be killed and started again."""
    if outer_kafka is not None:
        outer_kafka.empty()
        yield outer_kafka
        return
    processes = Processes(tmp_path)
    embedded = Embedded(Broker(processes, tmp_path, free_port()))
    embedded.start()
    yield embedded
    processes.stop("kafka")


@pytest.fixture
def kafka_servers(kafka: Kafka) -> str:
    return kafka.bootstrap_servers
