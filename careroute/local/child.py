"""One child process that does not outlive this one, however it ends.

On Linux the kernel signals each child the moment its parent is gone (PR_SET_PDEATHSIG), SIGKILL of the
parent included. "Parent" there means the *thread* that forked, so children are started from the main
thread only.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import final

import psutil

from careroute.local.errors import StackError
from careroute.local.ledger import lives
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


def popen(spec: Spec, output: int) -> subprocess.Popen[bytes]:
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
