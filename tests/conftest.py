"""Real Postgres and real Kafka for whoever asks; started once a session, ended with it."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from careroute.local import SERVICES
from careroute.local.environment import database_variable
from careroute.local.errors import StackError
from careroute.local.stack import Stack
from shared.db.migrate import OWN_TABLES, migrate
from shared.db.postgres import Pool, open_pool
from tests import brokers, databases
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
        help="The broker under test; without it what KAFKA_BOOTSTRAP_SERVERS names, else a container where "
        "an engine has the image KAFKA_IMAGE, else the embedded one. Postgres alike: TEST_POSTGRES_URL, "
        "POSTGRES_IMAGE.",
    )
    parser.addoption("--no-containers", action="store_true", help="As if there were no Docker engine.")


def pytest_configure(config: pytest.Config) -> None:
    """What cannot be had ends the run with one sentence, before any test."""
    try:
        brokers.label(config)
    except StackError as error:
        raise pytest.UsageError(str(error)) from None
    if brokers.chosen(config) == "given" and (config.getoption("numprocesses", None) or 0) > 1:
        raise pytest.UsageError(
            "Tests empty the Kafka that KAFKA_BOOTSTRAP_SERVERS names before they use it, so they must run "
            "one at a time: say -n 0."
        )


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [f"kafka: {brokers.label(config)}", f"postgres: {databases.label(config)}"]


@pytest.fixture(scope="session")
def apache_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """One node of Apache Kafka for the whole run."""
    with KafkaCluster(tmp_path_factory.mktemp("apache-kafka")) as cluster:
        cluster.start()
        yield cluster


@pytest.fixture(scope="session")
def kafka_in_container() -> Iterator[brokers.InContainer]:
    kafka = brokers.InContainer()
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.forget()


@pytest.fixture(scope="session")
def outer_kafka(request: pytest.FixtureRequest) -> brokers.Kafka | None:
    """The one Kafka of the whole run, to be emptied before use; None: each has an embedded one of its own."""
    match brokers.chosen(request.config):
        case "apache":
            cluster: KafkaCluster = request.getfixturevalue("apache_kafka")
            return cluster
        case "given":
            return brokers.given()
        case "container":
            container: brokers.InContainer = request.getfixturevalue("kafka_in_container")
            return container
        case "embedded":
            return None


@pytest.fixture(scope="session")
def postgres_in_container() -> Iterator[databases.InContainer]:
    postgres = databases.InContainer()
    try:
        postgres.start()
        yield postgres
    finally:
        postgres.remove()


@pytest.fixture(scope="session")
def outer_postgres(request: pytest.FixtureRequest) -> databases.Postgres | None:
    """The one Postgres of the whole run; None: each stack has an embedded one of its own."""
    match databases.chosen(request.config):
        case "given":
            return databases.given()
        case "container":
            container: databases.InContainer = request.getfixturevalue("postgres_in_container")
            return container
        case "embedded":
            return None


@pytest.fixture(scope="session")
def infrastructure(
    outer_kafka: brokers.Kafka | None, outer_postgres: databases.Postgres | None
) -> Iterator[Stack]:
    """A stack's Postgres and Kafka, as far as there are no outer ones, without the services."""
    ours = ("KAFKA_", "INTAKE_", "TRIAGE_", "MATCHING_", "NOTIFY_", "CAREROUTE_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environ |= outer_kafka.environment if outer_kafka else {}
    if outer_postgres:
        environ |= {database_variable(service): outer_postgres.admin_url for service in SERVICES}
    stack = Stack(Path(tempfile.mkdtemp(prefix="careroute-test-")), environ=environ)
    try:
        stack.start_infrastructure()
        yield stack
    finally:
        stack.discard()


@pytest.fixture(scope="session")
def postgres_url(infrastructure: Stack, outer_postgres: databases.Postgres | None) -> str:
    """A superuser's address of the server, database `postgres`."""
    return outer_postgres.admin_url if outer_postgres else infrastructure.postgres.admin_url


@pytest.fixture(scope="session")
def kafka_servers(infrastructure: Stack) -> str:
    return infrastructure.settings.kafka


@pytest.fixture(scope="session")
async def template(postgres_url: str) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """The name of a migrated database of that service, made once, to copy from."""
    made: dict[str, str] = {}
    lock = asyncio.Lock()

    async def of(service: str) -> str:
        async with lock:
            if service not in made:
                made[service] = await databases.create(postgres_url, f"{service}_template")
                pool = await open_pool(databases.at(postgres_url, made[service]), size=2)
                folders = [OWN_TABLES]
                if service != "shared":
                    folders.append(ROOT / "services" / service / "db" / "migrations")
                await migrate(pool, *folders)
                await pool.close()
            return made[service]

    yield of
    for name in made.values():
        await databases.drop(postgres_url, name)


@pytest.fixture
async def database_url(
    postgres_url: str, template: Callable[[str], Awaitable[str]]
) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """`await database_url("triage")`: the address of a new database, migrated and empty."""
    made: list[str] = []

    async def new(service: str) -> str:
        made.append(await databases.create(postgres_url, service, like=await template(service)))
        return databases.at(postgres_url, made[-1])

    yield new
    for name in made:
        await databases.drop(postgres_url, name)


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
