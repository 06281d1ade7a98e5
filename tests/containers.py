"""Containers for the tests, by testcontainers: only where an engine of this machine answers and already has
the image. Nothing is pulled. Ports are published on the loopback address alone.

Images have the names that docker-compose.yml gives them: `KAFKA_IMAGE` and `POSTGRES_IMAGE`, or its defaults.
"""

import os
import re
import socket
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from careroute.local.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testcontainers.core.container import DockerContainer

COMPOSE = Path(__file__).parents[1] / "docker-compose.yml"
LABEL = "careroute.tests"

# Its reaper is an image too, and would be pulled: what a killed run left is removed by the next one.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")


def image_name(setting: str) -> str:
    """As docker-compose.yml would take it."""
    default = re.search(rf"\$\{{{setting}:-([^}}]+)\}}", COMPOSE.read_text())
    assert default, setting
    return os.environ.get(setting) or default[1]


@cache
def available(setting: str) -> str | None:
    """The image, if there is an engine that has it and whose ports are this machine's."""
    with _engine() as engine, suppress(*_refusals()):
        if engine is not None:
            engine.images.get(image_name(setting))
            return image_name(setting)
    return None


@contextmanager
def _engine() -> "Iterator[Any]":
    """The engine's own client, or None: it is asked once, with little patience."""
    import docker

    client = None
    with suppress(*_refusals()):
        client = docker.from_env(timeout=5)
        if not client.api.base_url.startswith("http+docker://") or not client.ping():
            client.close()
            client = None
    try:
        yield client
    finally:
        if client is not None:
            client.close()


def _refusals() -> tuple[type[Exception], ...]:
    import docker.errors
    import requests

    return docker.errors.DockerException, requests.RequestException, OSError


@dataclass
class Container:
    """One container behind one port of this machine; it can be killed, started again and made anew."""

    setting: str
    """Of its image."""
    inner_port: int
    port: int
    environment: Mapping[str, str]
    command: tuple[str, ...] = ()
    _made: "DockerContainer | None" = field(default=None, init=False)

    def start(self) -> None:
        """Not ready on return."""
        if self._made is not None:
            self._made.get_wrapped_container().start()
            return
        remove_leftovers()
        from testcontainers.core.container import DockerContainer

        made = DockerContainer(image_name(self.setting), env=dict(self.environment))
        made.ports = {str(self.inner_port): (HOST, self.port)}  # type: ignore[dict-item]  # docker takes it
        made.with_kwargs(labels={LABEL: f"{socket.gethostname()}:{os.getpid()}"}, network="bridge")
        if self.command:
            made.with_command(list(self.command))
        self._made = made
        made.start()

    def kill(self) -> None:
        if self._made is not None:
            self._made.get_wrapped_container().kill()
            self._made.wait()

    def remove(self) -> None:
        """With all it kept."""
        if self._made is not None:
            self._made.stop(force=True, delete_volume=True)
            self._made = None

    def said(self) -> str:
        """The end of its log."""
        if self._made is None:
            return ""
        return str(self._made.get_wrapped_container().logs(tail=20).decode(errors="replace"))


def remove_leftovers() -> None:
    """What runs of this machine left that were killed."""
    with _engine() as engine:
        for container in engine.containers.list(all=True, filters={"label": LABEL}) if engine else ():
            host, _, pid = container.labels[LABEL].partition(":")
            if host == socket.gethostname() and not psutil.pid_exists(int(pid)):
                with suppress(*_refusals()):  # another run may be faster
                    container.remove(force=True, v=True)
