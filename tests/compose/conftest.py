"""The whole of docker-compose.yml on a real engine; only with `--compose`, by `make test-compose`."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from careroute.client import Api
from careroute.demo.endpoints import Endpoints
from tests.compose.host import Host
from tests.compose.town import Town, load


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--compose", action="store_true", help="Run tests/compose on the Docker engine.")


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Without the option there is nothing here, so that `make test` needs no engine."""
    return None if config.getoption("--compose", default=False) else True


@pytest.fixture(scope="module")
def files() -> tuple[str, ...]:
    """The compose files beside docker-compose.yml."""
    return ()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, files: tuple[str, ...]) -> Iterator[Host]:
    """A host of its own name and ports, with no containers and no volumes; all is removed at the end."""
    host = Host(f"careroute-test-{os.getpid()}", tmp_path_factory.mktemp("host"), files)
    host.build()
    try:
        host.up()
        yield host
    finally:
        print(host.complaints())  # shown by pytest when something failed
        host.remove()


@pytest.fixture(scope="module")
async def town(host: Host) -> AsyncIterator[Town]:
    """People with endpoints on this machine, which the containers reach by their network's gateway."""
    with Endpoints("a-secret-for-the-host", host=host.address_of_this_machine()) as endpoints:
        async with Api(host.network()) as api:
            await load(api, endpoints)
            yield Town(api, endpoints)
