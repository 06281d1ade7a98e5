"""Child processes that do not outlive this one, however it ends.

On Linux the kernel signals each child the moment its parent is gone (PR_SET_PDEATHSIG), SIGKILL of the
parent included. "Parent" there means the *thread* that forked, so children are started from the main
thread only. Where there is no such call (macOS), and besides, the ledger lets the next start with the
same folder end them.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import final

import psutil

from careroute.local.errors import ChildEnded, StackError
from careroute.local.folder import make_folder
from careroute.local.ledger import Ledger, lives
from careroute.local.waiting import until

_PR_SET_PDEATHSIG = 1


@final
@dataclass(frozen=True)
class Account:
    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class Spec:
    """How to run one child. `orphan_signal` is what the kernel sends it when its parent is gone."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    stop_seconds: float = 20.0


@dataclass(frozen=True)
class Child:
    spec: Spec
    process: subprocess.Popen[bytes]
    log: Path
    log_start: int

    def ended(self) -> bool:
        return self.process.poll() is not None

    def wait(self, seconds: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(seconds, 0))

    def tail(self, lines: int = 20) -> str:
        """The end of what this run wrote."""
        with self.log.open("rb") as file:
            file.seek(max(self.log_start, self.log.stat().st_size - 16_384))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])

    def kill(self) -> None:
        """SIGKILL to the whole group; returns when also its grandchildren are gone."""
        if self.ended():
            return
        family = psutil.Process(self.process.pid).children(recursive=True)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        until(lambda: not any(lives(member) for member in family), 10)


class Processes:
    """The children of one stack, by name."""

    def __init__(self, folder: Path) -> None:
        self._logs = make_folder(folder / "logs")
        self._ledger = Ledger(folder / "processes.json")
        self._children: dict[str, Child] = {}

    def end_leftovers(self) -> list[str]:
        return self._ledger.end_leftovers()

    def start(self, spec: Spec) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(
                f"{spec.name} must be started from the main thread: see the top of this module"
            )
        if spec.name in self._children:
            self._forget_ended(spec.name)
        log = self._logs / f"{spec.name}.log"
        log.touch(0o600)
        with log.open("ab") as output:
            log_start = output.tell()
            process = _popen(spec, output.fileno())
        self._children[spec.name] = Child(spec, process, log, log_start)
        self._ledger.add(spec.name, process.pid, spec.stop_signal)

    def _forget_ended(self, name: str) -> None:
        if not self._children[name].ended():
            raise RuntimeError(f"{name} is running already")
        self.kill(name)

    def run(self, spec: Spec, seconds: float) -> None:
        """Runs a child to its end, which must be a good one."""
        self.start(spec)
        child = self._children[spec.name]
        child.wait(seconds)
        code = child.process.poll()
        self.kill(spec.name)
        if code != 0:
            raise _ended(child) if code else _late(child, seconds)

    def wait(self, probes: Mapping[str, Callable[[], bool]], seconds: float) -> None:
        """Until every probe says yes; raises as soon as one of these children has ended."""
        pending = dict(probes)

        def all_ready() -> bool:
            for name in probes:
                self.check(name)
            for name in [name for name, probe in pending.items() if probe()]:
                del pending[name]
            return not pending

        if not until(all_ready, seconds):
            raise _late(self._children[next(iter(pending))], seconds)

    def check(self, name: str) -> None:
        child = self._children.get(name)
        if child is None:
            raise ChildEnded(f"{name} is not running.")
        if child.ended():
            raise _ended(child)

    def listens(self, name: str, port: int) -> bool:
        """Whether it is this very child that a connection to the port would reach."""
        try:
            sockets = psutil.Process(self.pid(name)).net_connections("tcp")
        except (KeyError, psutil.NoSuchProcess):
            return False
        return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in sockets)

    def pid(self, name: str) -> int:
        return self._children[name].process.pid

    def names(self) -> list[str]:
        return list(self._children)

    def ended(self) -> dict[str, str]:
        """Those that ended though nobody stopped them, each with a sentence and the end of its log."""
        return {name: str(_ended(child)) for name, child in self._children.items() if child.ended()}

    def stop(self, *names: str) -> None:
        """Asks them all, gives each its time, and kills what is left, also when interrupted meanwhile."""
        children = [self._children[name] for name in names if name in self._children]
        asked = time.monotonic()
        try:
            for child in children:
                child.process.send_signal(child.spec.stop_signal)
            for child in children:
                child.wait(asked + child.spec.stop_seconds - time.monotonic())
        finally:
            for child in children:
                self.kill(child.spec.name)

    def kill(self, name: str) -> None:
        """SIGKILL, as a crash would; only ever a child that this object started."""
        child = self._children[name]
        child.kill()
        del self._children[name]
        self._ledger.drop(child.process.pid)


def _popen(spec: Spec, output: int) -> subprocess.Popen[bytes]:
    account = spec.account
    try:
        return subprocess.Popen(  # noqa: S603 - the command is put together by this package
            spec.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=spec.cwd,
            env=dict(spec.env),
            process_group=0,
            user=account and account.uid,
            group=account and account.gid,
            extra_groups=account and [],
            preexec_fn=_die_with_parent(spec.orphan_signal),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise StackError(f"{spec.name} could not be started: {error}.") from error


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Runs in the child after its change of user, which would have cleared the setting."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    parent = os.getpid()

    def arrange() -> None:
        if prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(125)  # the parent went before the setting took effect

    return arrange


def _ended(child: Child) -> ChildEnded:
    code = child.process.returncode
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return ChildEnded(f"{child.spec.name} ended with {how}. The end of its log {child.log}:\n{child.tail()}")


def _late(child: Child, seconds: float) -> StackError:
    what = f"{child.spec.name} was not ready within {seconds:.0f} s."
    return StackError(f"{what} The end of its log {child.log}:\n{child.tail()}")
