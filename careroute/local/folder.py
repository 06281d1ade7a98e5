"""The stack's data folder: who may read it, and that one stack at a time uses it."""

import fcntl
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from careroute.local.errors import StackError


def make_folder(path: Path, mode: int = 0o700) -> Path:
    """Creates the folder with exactly this mode; one that exists keeps its own."""
    if not path.is_dir():
        path.mkdir(parents=True)
        path.chmod(mode)
    return path


def write_private(path: Path, text: str) -> None:
    """All or nothing, on disk, readable by the owner only."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def kept(path: Path, make: Callable[[], str]) -> str:
    """What the file holds; made and written the first time."""
    if not path.exists():
        write_private(path, make())
    return path.read_text()


class FolderLock:
    """Held as long as this process lives, however it ends: the kernel lets go of it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._handle: int | None = None

    def take(self) -> None:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 20).decode() or "unknown"
            os.close(handle)
            raise StackError(
                f"The folder {self._path.parent} is in use by another stack (process {holder}): "
                "stop that one or choose another folder."
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        self._handle = handle

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def held_by_someone(self) -> bool:
        """Whether a stack runs in this folder now."""
        try:
            with self._path.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False
