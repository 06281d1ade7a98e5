"""A broker of its own for each test: topics have fixed names, and a test must not read another's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from careroute.local.broker import Broker
from careroute.local.ports import free_port
from careroute.local.processes import Processes


@pytest.fixture
def kafka_servers(tmp_path: Path) -> Iterator[str]:
    processes = Processes(tmp_path)
    broker = Broker(processes, tmp_path, free_port())
    broker.start()
    yield broker.bootstrap_servers
    processes.stop("kafka")
