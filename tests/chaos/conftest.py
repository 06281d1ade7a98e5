"""Faults by the dozen on Apache Kafka and Postgres; only with `--chaos`, by `make test-chaos`."""

import logging
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from careroute.local.errors import StackError
from tests.apache import cluster
from tests.chaos.background import Background
from tests.chaos.town import NODES, Roads, roads


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--chaos", action="store_true", help="Run tests/chaos, on Apache Kafka.")


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Without the option there is nothing here: it takes minutes and the whole machine."""
    return None if config.getoption("--chaos", default=False) else True


def pytest_configure(config: pytest.Config) -> None:
    """What cannot be had ends the run with one sentence, before any test."""
    if config.getoption("--chaos", default=False):
        try:
            cluster.describe(NODES)
        except StackError as error:
            raise pytest.UsageError(str(error)) from None


def pytest_report_header(config: pytest.Config) -> str | None:
    return f"chaos: {cluster.describe(NODES)}" if config.getoption("--chaos", default=False) else None


@pytest.fixture(scope="session")
def seed() -> int:
    given = os.environ.get("CHAOS_SEED")
    return int(given) if given else random.randrange(1_000_000)


@pytest.fixture(scope="session")
def referrals() -> int:
    return int(os.environ.get("CHAOS_REFERRALS") or 10_000)


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    with Background() as running:
        yield running


@pytest.fixture(scope="session")
def kafka(background: Background) -> Iterator[Roads]:
    """One cluster for all runs, emptied before each."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a node being away is no news here
    with (
        tempfile.TemporaryDirectory(prefix="careroute-chaos-kafka-") as folder,
        roads(Path(folder), background) as running,
    ):
        yield running
