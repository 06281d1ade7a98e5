"""The whole of careroute on one machine: `Stack` starts Kafka, Postgres and the four services and stops them.

    with unwinding_on_signals(), Stack(Path(".careroute"), preferred_ports=FIXED_PORTS) as stack:
        stack.start_infrastructure()
        stack.start_services()
        print(stack.urls)

Everything it starts is a child process that does not outlive it (see `child`). Everything it keeps,
data, logs, keys and ledger, is in its folder, which one stack at a time uses. Stacks with different folders
run side by side. `KAFKA_BOOTSTRAP_SERVERS` and `<SERVICE>_DATABASE_URL` in the caller's environment win over
embedded ones. Whatever starts a child is called from the main thread; `wait_ready` may run in any.
"""

import os
import shutil
from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Self

from careroute.local import broker, postgres, postgres_home, service
from careroute.local.broker import Broker
from careroute.local.child import Spec
from careroute.local.environment import SERVICES, Settings, database_variable, publish, withdraw
from careroute.local.errors import StackError
from careroute.local.folder import FolderLock, make_folder
from careroute.local.keys import Keys
from careroute.local.ports import HOST, choose_all
from careroute.local.postgres import Postgres
from careroute.local.processes import Processes

FIXED_PORTS = {"intake": 8001, "triage": 8002, "matching": 8003, "notify": 8004}
_PROJECT = Path(__file__).resolve().parents[2]


class Stack:
    def __init__(
        self,
        folder: Path,
        *,
        wanted_ports: Mapping[str, int] | None = None,
        preferred_ports: Mapping[str, int] | None = None,
        application: str = "services.{name}.app:create_app",
        project: Path = _PROJECT,
        environ: Mapping[str, str] = os.environ,
        network_file: Path | None = None,
    ) -> None:
        """Ports go by name: the services', `kafka`, `postgres`. A wanted one that is taken is an error, a
        preferred one gives way to a free one. `network_file` is for a caller who names none."""
        self.folder = folder.absolute()
        self._wanted, self._preferred = wanted_ports or {}, preferred_ports or {}
        self._application, self._project = application, project
        self._environ = dict(environ)
        self._network_file = network_file
        self._lock = FolderLock(self.folder)
        self._is_open = False

    def open(self) -> list[str]:
        """Takes the folder and ends what an earlier stack left running in it; returns the names of those."""
        try:
            make_folder(self.folder, 0o711 if os.geteuid() == 0 else 0o700)
            self._lock.take()
            left = self.processes.end_leftovers()
            self.keys.ensure()
        except OSError as error:
            raise StackError(f"The folder {self.folder} cannot be used: {error.strerror}.") from error
        self._is_open = True
        return left

    def start_infrastructure(self) -> None:
        """Postgres and Kafka, unless the caller's environment names others."""
        if not self._is_open:
            self.open()
        for name in self._embedded:
            self.start(name)
        publish(self.folder, self.settings)

    def start_services(self, *names: str, seconds: float = 60.0) -> None:
        """Starts them side by side and returns when all are ready."""
        for name in names or SERVICES:
            self.start(name)
        self.wait_ready(*names, seconds=seconds)

    def start(self, name: str) -> None:
        """One of `postgres`, `kafka` (ready on return) or a service (see `wait_ready`)."""
        if name == postgres.NAME:
            self.postgres.start(name for name in SERVICES if not self._given(name))
        elif name == broker.NAME:
            self.broker.start()
        else:
            self.processes.start(self._service(name))

    def wait_ready(self, *names: str, seconds: float = 60.0) -> None:
        probes = {name: partial(self._is_ready, name) for name in names or SERVICES}
        self.processes.wait(probes, seconds)

    def _is_ready(self, name: str) -> bool:
        return self.processes.listens(name, self.ports[name]) and service.is_ready(self.ports[name])

    def kill(self, name: str) -> None:
        """SIGKILL, as a crash would."""
        self.processes.kill(name)

    def ended(self) -> dict[str, str]:
        """Which of them ended though nobody stopped them, each with a sentence and the end of its log."""
        return self.processes.ended()

    def stop(self) -> None:
        """The services first, all at once; then what they stand on. If interrupted, it kills the rest."""
        if not self._is_open:
            return self._lock.release()
        try:
            for names in (SERVICES, (broker.NAME,), (postgres.NAME,)):
                self.processes.stop(*names)
        finally:
            for name in self.processes.names():
                self.kill(name)
            withdraw(self.folder)
            self._is_open = False
            self._lock.release()

    def discard(self) -> None:
        """Stops it and removes all it kept."""
        self.stop()
        if self.folder.is_dir():
            self._lock.take()
            try:
                postgres_home.remove_home(self.folder)
                shutil.rmtree(self.folder)
            finally:
                self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @cached_property
    def processes(self) -> Processes:
        return Processes(self.folder)

    @cached_property
    def keys(self) -> Keys:
        return Keys(self.folder)

    @cached_property
    def ports(self) -> dict[str, int]:
        return choose_all((*SERVICES, *self._embedded), wanted=self._wanted, preferred=self._preferred)

    @cached_property
    def postgres(self) -> Postgres:
        return Postgres(self.processes, self.folder, self.ports[postgres.NAME], self.keys)

    @cached_property
    def broker(self) -> Broker:
        return Broker(self.processes, self.folder, self.ports[broker.NAME])

    @property
    def urls(self) -> dict[str, str]:
        return {name: f"http://{HOST}:{self.ports[name]}" for name in SERVICES}

    @property
    def settings(self) -> Settings:
        kafka = self._environ.get("KAFKA_BOOTSTRAP_SERVERS")
        return Settings(
            keys=self.keys,
            urls=self.urls,
            databases={name: self._given(name) or self.postgres.url(name) for name in SERVICES},
            kafka=kafka or self.broker.bootstrap_servers,
            kafka_embedded=not kafka,
            caller=self._environ,
            network_file=self._network_file,
        )

    @cached_property
    def _embedded(self) -> tuple[str, ...]:
        needs_postgres = not all(self._given(name) for name in SERVICES)
        needs_kafka = not self._environ.get("KAFKA_BOOTSTRAP_SERVERS")
        return (postgres.NAME,) * needs_postgres + (broker.NAME,) * needs_kafka

    def _given(self, service: str) -> str | None:
        return self._environ.get(database_variable(service))

    def _service(self, name: str) -> Spec:
        target = self._application.format(name=name)
        environment = self.settings.environment(name)
        return service.spec(name, target, self.ports[name], environment, self._project)
