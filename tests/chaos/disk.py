"""A small disk of its own for Postgres, which can be full. Mounting one takes root, on Linux."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from careroute.local.waiting import until

SIZE = "4g"


@dataclass(frozen=True)
class Disk:
    folder: Path

    @classmethod
    @contextmanager
    def under(cls, folder: Path) -> Iterator[Self | None]:
        """None where this user may not mount, and then the folder stays as it is."""
        folder.mkdir(mode=0o711)
        if not _run("mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0711", "careroute-chaos", str(folder)):
            folder.rmdir()
            yield None
            return
        try:
            yield cls(folder)
        finally:
            if not _run("umount", str(folder)):
                raise RuntimeError(f"{folder} could not be unmounted")

    def fill(self) -> None:
        """It shrinks to what is on it; what is written in that very moment makes it try again."""
        if not until(lambda: self._resize(str(shutil.disk_usage(self.folder).used)), 10):
            raise RuntimeError(f"{self.folder} could not be made as small as what is on it")

    def free(self) -> None:
        if not self._resize(SIZE):
            raise RuntimeError(f"{self.folder} could not be made {SIZE} large again")

    def _resize(self, size: str) -> bool:
        return _run("mount", "-o", f"remount,size={size}", str(self.folder))


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=30).returncode == 0
    except FileNotFoundError:
        return False
