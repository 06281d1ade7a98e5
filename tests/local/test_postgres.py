"""The embedded PostgreSQL: closed to others, durable, and back after every kind of end."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import psutil
import pytest

from careroute.local import SERVICES, Stack, postgres_home
from careroute.local.child import Account
from careroute.local.environment import database_variable
from careroute.local.errors import StackError
from careroute.local.ledger import lives
from careroute.local.waiting import run, until
from tests.local.conftest import ROOT, Supervise, own_environment

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="is about running as root")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's help")


def only_postgres(folder: Path) -> Stack:
    return Stack(folder, environ={"KAFKA_BOOTSTRAP_SERVERS": "elsewhere:9092"})


@pytest.fixture(scope="module")
def running() -> Iterator[Stack]:
    stack = only_postgres(Path(tempfile.mkdtemp()) / "stack")
    with stack:
        stack.start_infrastructure()
        yield stack
    stack.discard()
    stack.folder.parent.rmdir()


def ask(url: str, *statements: str) -> list[object]:
    """The first value that each statement answers."""

    async def asked() -> list[object]:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return [await connection.fetchval(statement) for statement in statements]
        finally:
            await connection.close()

    return run(asked())


def write_down(url: str) -> None:
    ask(url, "CREATE TABLE kept (what text)", "INSERT INTO kept VALUES ('a referral')")


def assert_kept(url: str) -> None:
    assert ask(url, "SELECT what FROM kept") == ["a referral"]


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_owns_its_database(running: Stack, service: str) -> None:
    url = running.settings.databases[service]
    assert ask(url, "SELECT current_user", "CREATE TABLE t ()", "SELECT upper('é')") == [service, None, "É"]


@pytest.mark.parametrize("other", ["intake", "matching", "postgres", "template1"])
def test_no_service_reaches_another_database(running: Stack, other: str) -> None:
    own = running.settings.databases["triage"].rsplit("/", 1)[0]
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
        ask(f"{own}/{other}", "SELECT 1")


@pytest.mark.parametrize("password", ["", ":guess", ":postgres"])
def test_nobody_gets_in_without_the_password(running: Stack, password: str) -> None:
    port = running.ports["postgres"]
    with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InternalClientError)):
        ask(f"postgresql://postgres{password}@127.0.0.1:{port}/postgres", "SELECT 1")


def test_what_is_secret_is_for_its_owner_alone(running: Stack) -> None:
    kept = [
        path for path in running.folder.rglob("*") if path.parent.name == "keys" or path.suffix == ".json"
    ]
    assert len(kept) > len(SERVICES)
    assert {path.stat().st_mode & 0o077 for path in kept} == {0}
    assert (running.postgres._home / "data").stat().st_mode & 0o077 == 0
    assert not (running.postgres._home / "password").exists()


def test_it_listens_on_the_loopback_address_only(running: Stack) -> None:
    sockets = psutil.Process(running.processes.pid("postgres")).net_connections("all")
    listening = [
        each for each in sockets if each.status == psutil.CONN_LISTEN or each.family == socket.AF_UNIX
    ]
    assert {each.laddr for each in listening} == {("127.0.0.1", running.ports["postgres"])}


def test_what_was_committed_is_on_disk(running: Stack) -> None:
    settings = [f"SHOW {name}" for name in ("fsync", "synchronous_commit", "full_page_writes")]
    assert ask(running.postgres.admin_url, *settings) == ["on", "on", "on"]


def test_a_value_that_breaks_a_rule_is_not_in_the_log(running: Stack) -> None:
    url = running.settings.databases["notify"]
    ask(url, "CREATE TABLE once (name text PRIMARY KEY)", "INSERT INTO once VALUES ('Marker Person')")
    with pytest.raises(asyncpg.UniqueViolationError):
        ask(url, "INSERT INTO once VALUES ('Marker Person')")
    log = (running.folder / "logs" / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "Marker Person" not in log


def test_killed_and_started_again_it_has_what_was_committed(running: Stack) -> None:
    url = running.settings.databases["intake"]
    write_down(url)
    running.kill("postgres")
    running.start("postgres")
    assert_kept(url)


def test_the_file_of_a_dead_server_may_name_a_living_stranger(folder: Path) -> None:
    with only_postgres(folder) as stack:
        stack.start_infrastructure()
        write_down(stack.settings.databases["intake"])
        stack.kill("postgres")
        account = stack.postgres._account
        stranger = subprocess.Popen(["sleep", "600"], user=account and account.uid)
        claim = stack.postgres._home / "data" / "postmaster.pid"
        claim.write_text("\n".join([str(stranger.pid), *claim.read_text().splitlines()[1:]]))
        try:
            stack.start("postgres")
            assert_kept(stack.settings.databases["intake"])
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()


@on_linux
def test_its_supervisor_killed_it_goes_and_the_data_stay(supervise: Supervise, folder: Path) -> None:
    first = supervise("database", folder)
    write_down(first.urls["intake"])
    first.end(signal.SIGKILL)
    second = supervise("database", folder)
    assert first.family_is_gone()
    assert_kept(second.urls["intake"])


@pytest.mark.parametrize("ledger", ["kept", "lost"])
def test_an_orphan_is_ended_by_the_next_start(supervise: Supervise, folder: Path, ledger: str) -> None:
    first = supervise("unguarded_database", folder)
    write_down(first.urls["intake"])
    first.end(signal.SIGKILL)
    if ledger == "lost":
        (folder / "processes.json").unlink()
    assert all(lives(member) for member in first.family)
    second = supervise("database", folder)
    assert first.family_is_gone()
    assert_kept(second.urls["intake"])


def test_a_first_start_that_was_cut_off_is_begun_again(folder: Path) -> None:
    with only_postgres(folder) as stack:
        stack.open()
        (stack.postgres._home / "data.new").mkdir()
        (stack.postgres._home / "data.new" / "PG_VERSION").write_text("18\n")
        stack.start_infrastructure()
        assert ask(stack.settings.databases["intake"], "SELECT 1") == [1]


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    stack = only_postgres(tmp_path / ("long" * 20) / ("longer" * 20))
    with stack:
        stack.start_infrastructure()
        assert ask(stack.settings.databases["intake"], "SELECT 1") == [1]
    stack.discard()


def test_two_stacks_side_by_side(running: Stack, folder: Path) -> None:
    with only_postgres(folder) as other:
        other.start_infrastructure()
        write_down(other.settings.databases["triage"])
        assert ask(running.settings.databases["triage"], "SELECT to_regclass('kept')") == [None]
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(
                other.settings.databases["triage"].replace(
                    str(other.ports["postgres"]), str(running.ports["postgres"])
                ),
                "SELECT 1",
            )


def test_only_missing_databases_are_made(folder: Path) -> None:
    given = {
        database_variable(name): f"postgresql://elsewhere/{name}" for name in SERVICES if name != "triage"
    }
    stack = Stack(folder, environ={"KAFKA_BOOTSTRAP_SERVERS": "elsewhere:9092", **given})
    with stack:
        stack.start_infrastructure()
        names = "SELECT string_agg(datname, ' ') FROM pg_database WHERE NOT datistemplate"
        assert ask(stack.postgres.admin_url, names) == ["postgres triage"]
        assert stack.settings.databases["intake"] == "postgresql://elsewhere/intake"


def test_replaced_keys_are_told_at_once(folder: Path) -> None:
    with only_postgres(folder) as stack:
        stack.start_infrastructure()
        stack.processes.stop("postgres")
        (folder / "keys" / "postgres.password").unlink()
        with pytest.raises(StackError, match="made with another password"):
            stack.start("postgres")


@as_root
def test_as_root_data_go_where_the_account_may_enter_and_nothing_else_is_touched(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    stack = only_postgres(closed)
    with stack:
        stack.start_infrastructure()
        place = (closed / "postgres").readlink()
        assert closed.stat().st_mode & 0o777 == 0o700
        assert psutil.Process(stack.processes.pid("postgres")).username() == "nobody"
        assert (place.stat().st_uid, place.stat().st_mode & 0o777) == (0, 0o711)
    with only_postgres(closed) as again:
        again.start_infrastructure()
        assert (closed / "postgres").readlink() == place
    stack.discard()
    assert not place.exists()


@as_root
def test_as_root_data_that_are_gone_are_told_not_replaced(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "postgres").symlink_to("gone")
    with only_postgres(folder) as stack, pytest.raises(StackError, match="which is gone: remove"):
        stack.start_infrastructure()
    (folder / "postgres").unlink()


@pytest.fixture
def closed_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The wheel where `nobody` may not go, and a folder for temporary files with nothing in it."""
    source = postgres_home.package()
    for name in (source.name, f"{source.name}.libs"):
        if (source.parent / name).is_dir():
            shutil.copytree(source.parent / name, tmp_path / name, ignore=shutil.ignore_patterns("include"))
    monkeypatch.setattr(postgres_home, "package", lambda: tmp_path / source.name)
    with ExitStack() as undo:
        shared = Path(tempfile.mkdtemp())
        undo.callback(shutil.rmtree, shared)
        shared.chmod(0o1777)
        monkeypatch.setattr(tempfile, "tempdir", str(shared))
        yield shared


@as_root
def test_as_root_binaries_out_of_reach_are_copied_once(closed_wheel: Path) -> None:
    account = postgres_home.account()
    first = postgres_home.binaries(account)
    made = first.stat().st_ctime_ns
    assert first.is_relative_to(closed_wheel)
    assert postgres_home.binaries(account).stat().st_ctime_ns == made
    [copy] = closed_wheel.iterdir()
    assert not any(path.lstat().st_uid or path.stat().st_mode & 0o022 for path in (copy, *copy.rglob("*")))


@as_root
def test_as_root_a_copy_that_was_partly_cleared_out_is_made_again(closed_wheel: Path) -> None:
    account = postgres_home.account()
    copy = postgres_home.binaries(account).parent
    missing = copy / "share" / "postgres.bki"
    missing.unlink()
    postgres_home.binaries(account)
    assert missing.exists()


@as_root
def test_as_root_binaries_that_somebody_planted_are_refused(closed_wheel: Path) -> None:
    account = postgres_home.account()
    assert account
    copy = postgres_home.binaries(account).parents[2]
    os.chown(copy, account.uid, account.gid)
    with pytest.raises(StackError, match="does not belong to this user alone"):
        postgres_home.binaries(account)


@as_root
def test_an_ordinary_user_needs_none_of_this(running: Stack) -> None:
    """The same start in a process that is not root, with a Python that it may run."""
    account = postgres_home.account()
    assert account
    python = python_for(account)
    home = Path(tempfile.mkdtemp())
    try:
        os.chown(home, account.uid, account.gid)
        command = [python, "-m", "tests.local.supervisors", "database", str(home / "stack")]
        with subprocess.Popen(
            command, user=account.uid, group=account.gid, extra_groups=[], cwd=ROOT, env=reaching(), stdout=-1
        ) as process:
            assert process.stdout and b"postgresql://" in process.stdout.readline()
            family = psutil.Process(process.pid).children(recursive=True)
            assert {member.username() for member in family} == {"nobody"}
            process.kill()
        assert until(lambda: not any(lives(member) for member in family), 15)
        assert (home / "stack" / "postgres" / "data" / "PG_VERSION").exists()
    finally:
        shutil.rmtree(home)


def python_for(account: Account) -> str:
    for python in (sys.executable, shutil.which("python3", path=os.defpath)):
        try:
            subprocess.run(
                [
                    python or "",
                    "-c",
                    "import sys, asyncpg, psutil, careroute; assert sys.version_info >= (3, 11)",
                ],
                user=account.uid,
                cwd=ROOT,
                env=reaching(),
                check=True,
                capture_output=True,
            )
        except (OSError, subprocess.SubprocessError):
            continue
        return str(python)
    pytest.skip("no Python with our packages that an ordinary user may run")


def reaching() -> dict[str, str]:
    packages = str(Path(asyncpg.__file__).parents[1])
    return own_environment() | {"PYTHONPATH": os.pathsep.join([str(ROOT), packages])}
