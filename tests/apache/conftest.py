"""Clusters to break, only where Apache Kafka was asked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apache.cluster import KafkaCluster


@pytest.fixture
def only_apache(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--kafka") != "apache":
        pytest.skip("is about Apache Kafka itself: make test-kafka")


@pytest.fixture
def one_node(only_apache: None, request: pytest.FixtureRequest) -> KafkaCluster:
    """The run's own, emptied."""
    cluster: KafkaCluster = request.getfixturevalue("apache_kafka")
    cluster.empty()
    return cluster


@pytest.fixture
def three_nodes(only_apache: None, tmp_path: Path) -> Iterator[KafkaCluster]:
    with KafkaCluster(tmp_path / "cluster", nodes=3) as cluster:
        cluster.start()
        yield cluster


@pytest.fixture(scope="module")
def secured(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """Asks for names and passwords; for a module, whose services may have rights on it."""
    if pytestconfig.getoption("--kafka") != "apache":
        pytest.skip("is about Apache Kafka itself: make test-kafka")
    with KafkaCluster(tmp_path_factory.mktemp("secured"), secured=True) as cluster:
        cluster.start()
        yield cluster
