"""The children of one stack, by name: started, waited for, stopped, killed.

Where the kernel does not end the children of a dead parent (macOS), and besides, the ledger lets the next
start with the same folder end them.
"""

import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from careroute.local.child import Child, Spec, popen
from careroute.local.errors import ChildEnded, StackError
from careroute.local.folder import make_folder
from careroute.local.ledger import Ledger
from careroute.local.waiting import until


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
            raise RuntimeError(f"{spec.name} must be started from the main thread: see `child`")
        if spec.name in self._children:
            self._forget_ended(spec.name)
        log = self._logs / f"{spec.name}.log"
        log.touch(0o600)
        with log.open("ab") as output:
            log_start = output.tell()
            process = popen(spec, output.fileno())
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


def _ended(child: Child) -> ChildEnded:
    code = child.process.returncode
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return ChildEnded(f"{child.spec.name} ended with {how}. The end of its log {child.log}:\n{child.tail()}")


def _late(child: Child, seconds: float) -> StackError:
    what = f"{child.spec.name} was not ready within {seconds:.0f} s."
    return StackError(f"{what} The end of its log {child.log}:\n{child.tail()}")
