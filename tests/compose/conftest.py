"""The whole of docker-compose.yml on a real engine; only with `--compose`, by `make test-compose`."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from careroute.client import Api
from careroute.demo.endpoints import Endpoints
from tests.compose.host import Host
from tests.compose.town import Town, load

ORDER = ("containers", "host", "backup", "watching", "security", "upgrade")
"""Modules that live on the same host follow one another, the one that looks at it untouched first."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--compose", action="store_true", help="Run tests/compose on the Docker engine.")


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Without the option there is nothing here, so that `make test` needs no engine."""
    return None if config.getoption("--compose", default=False) else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    places = {here / f"test_{name}.py": place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path, -1))


class Hosts:
    """One at a time: two would be too much for a small machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._up: Host | None = None

    def up(self, *files: str, image: str = "careroute:test") -> Host:
        """One of these compose files that runs this image: the one that is there, or a new one."""
        if self._up is None or (self._up.files, self._up.image) != (files, image):
            self.remove()
            self._up = Host(f"careroute-test-{os.getpid()}", self._folder, files, image=image)
            self._up.up()
        return self._up

    def remove(self) -> None:
        if self._up is not None:
            self._up.remove()
            self._up = None


@pytest.fixture(scope="session")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    """Of names and ports of their own; containers and volumes are removed at the end."""
    folder = tmp_path_factory.mktemp("host")
    Host(f"careroute-test-{os.getpid()}", folder).build()
    hosts = Hosts(folder)
    try:
        yield hosts
    finally:
        hosts.remove()


@pytest.fixture(scope="module")
def files() -> tuple[str, ...]:
    """The compose files beside docker-compose.yml."""
    return ()


@pytest.fixture(scope="module")
def host(hosts: Hosts, files: tuple[str, ...]) -> Iterator[Host]:
    host = hosts.up(*files)
    yield host
    print(host.complaints())  # shown by pytest when something failed


@pytest.fixture(scope="module")
async def town(host: Host) -> AsyncIterator[Town]:
    """People with endpoints on this machine, which the containers reach by their network's gateway."""
    with Endpoints("a-secret-for-the-host", host=host.address_of_this_machine()) as endpoints:
        async with Api(host.network()) as api:
            await load(api, endpoints)
            yield Town(api, endpoints)
