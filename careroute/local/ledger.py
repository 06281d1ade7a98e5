"""Which processes a stack has started, on disk, so that the next start can end what is left of them.

A process is known by its id and its time of creation together, never by a name: an id alone may by
now belong to somebody else's program.
"""

import json
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from careroute.local.folder import write_private
from careroute.local.waiting import until

# Linux derives the time of creation from the boot time, which is told in whole seconds and may waver by one.
_SAME_CREATION = 1.5


def lives(process: psutil.Process) -> bool:
    """A zombie, whom only its parent can bury, counts as gone."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass(frozen=True)
class Entry:
    name: str
    pid: int
    created: float
    stop_signal: int

    def process(self) -> psutil.Process | None:
        """The very process that was written down, if it still lives."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < _SAME_CREATION
            return process if same and lives(process) else None
        except psutil.NoSuchProcess:
            return None

    def alive(self) -> bool:
        return self.process() is not None

    def send(self, number: int) -> None:
        with suppress(psutil.NoSuchProcess):
            if process := self.process():
                process.send_signal(number)


class Ledger:
    def __init__(self, path: Path) -> None:
        self._path = path

    def entries(self) -> list[Entry]:
        try:
            return [Entry(**row) for row in json.loads(self._path.read_text())]
        except FileNotFoundError:
            return []
        except ValueError:  # torn by a power cut, which ended the processes too
            return []

    def add(self, name: str, pid: int, stop_signal: int) -> None:
        with suppress(psutil.NoSuchProcess):
            self._write([*self.entries(), Entry(name, pid, psutil.Process(pid).create_time(), stop_signal)])

    def drop(self, pid: int) -> None:
        self._write([entry for entry in self.entries() if entry.pid != pid])

    def end_leftovers(self, seconds: float = 15.0) -> list[str]:
        """Stops what an earlier stack left behind, first kindly; returns their names."""
        left = [entry for entry in self.entries() if entry.alive()]
        for entry in left:
            entry.send(entry.stop_signal)
        if not until(lambda: not any(entry.alive() for entry in left), seconds):
            for entry in left:
                entry.send(signal.SIGKILL)
            until(lambda: not any(entry.alive() for entry in left), seconds)
        self._write([entry for entry in left if entry.alive()])
        return [entry.name for entry in left]

    def _write(self, entries: list[Entry]) -> None:
        write_private(self._path, json.dumps([asdict(entry) for entry in entries], indent=1))
