"""Real Postgres and real Kafka for whoever asks; started once a session, ended with it."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import settings

from careroute.local.errors import StackError
from careroute.local.stack import Stack
from shared.postgres import OWN_TABLES, Pool, migrate, open_pool
from tests import brokers
from tests.apache.cluster import KafkaCluster
from tests.support import NewDatabase

ROOT = Path(__file__).parent.parent

# How long an example takes is measured in benchmarks, not here. A build is the same each time it runs;
# new examples are looked for on a developer's machine.
settings.register_profile("careroute", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("careroute")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kafka",
        choices=("embedded", "apache"),
        help="The broker under test; without it what KAFKA_BOOTSTRAP_SERVERS names, else the embedded one.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """What cannot be had ends the run with one sentence, before any test."""
    try:
        brokers.label(config.getoption("--kafka"))
    except StackError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_report_header(config: pytest.Config) -> list[str]:
    kafka = brokers.label(config.getoption("--kafka"))
    return [f"kafka: {kafka}", f"postgres: {brokers.postgres_label()}"]


@pytest.fixture(scope="session")
def apache_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """One node of Apache Kafka for the whole run."""
    with KafkaCluster(tmp_path_factory.mktemp("apache-kafka")) as cluster:
        cluster.start()
        yield cluster


@pytest.fixture(scope="session")
def outer_kafka(request: pytest.FixtureRequest) -> brokers.Kafka | None:
    """The one Kafka of the whole run, to be emptied before use; None: each has an embedded one of its own."""
    option = request.config.getoption("--kafka")
    if option == "apache":
        cluster: KafkaCluster = request.getfixturevalue("apache_kafka")
        return cluster
    return None if option == "embedded" else brokers.given()


@pytest.fixture(scope="session")
def infrastructure(outer_kafka: brokers.Kafka | None) -> Iterator[Stack]:
    """A stack's Postgres and Kafka, without the services."""
    ours = ("KAFKA_", "INTAKE_", "TRIAGE_", "MATCHING_", "NOTIFY_", "CAREROUTE_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environ |= outer_kafka.environment if outer_kafka else {}
    stack = Stack(Path(tempfile.mkdtemp(prefix="careroute-test-")), environ=environ)
    try:
        stack.start_infrastructure()
        yield stack
    finally:
        stack.discard()


@pytest.fixture(scope="session")
def postgres_url(infrastructure: Stack) -> str:
    """A superuser's address of the server, database `postgres`."""
    return infrastructure.postgres.admin_url


@pytest.fixture(scope="session")
def kafka_servers(infrastructure: Stack) -> str:
    return infrastructure.settings.kafka


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def template(postgres_url: str) -> Callable[[str], Awaitable[str]]:
    """The name of a migrated database of that service, made once, to copy from."""
    made: dict[str, str] = {}
    lock = asyncio.Lock()

    async def of(service: str) -> str:
        async with lock:
            if service not in made:
                name = f"template_{service}"
                await _execute(postgres_url, f"create database {name}")
                pool = await open_pool(postgres_url.rsplit("/", 1)[0] + f"/{name}", size=2)
                folders = [OWN_TABLES]
                if service != "shared":
                    folders.append(ROOT / "services" / service / "migrations")
                await migrate(pool, *folders)
                await pool.close()
                made[service] = name
            return made[service]

    return of


@pytest.fixture
async def database_url(
    postgres_url: str, template: Callable[[str], Awaitable[str]]
) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """`await database_url("triage")`: the address of a new database, migrated and empty."""
    made: list[str] = []

    async def new(service: str) -> str:
        name = f"test_{service}_{uuid4().hex[:12]}"
        await _execute(postgres_url, f"create database {name} template {await template(service)}")
        made.append(name)
        return postgres_url.rsplit("/", 1)[0] + f"/{name}"

    yield new
    for name in made:
        await _execute(postgres_url, f"drop database {name} with (force)")


@pytest.fixture
async def database(database_url: Callable[[str], Awaitable[str]]) -> AsyncIterator[NewDatabase]:
    """`pool = await database("triage")`: migrated and empty, gone after the test."""
    pools: list[Pool] = []

    async def new(service: str) -> Pool:
        pool = await open_pool(await database_url(service), size=20)
        pools.append(pool)
        return pool

    yield new
    for pool in pools:
        await pool.close()
