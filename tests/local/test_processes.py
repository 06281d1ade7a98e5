"""No child outlives its parent, and a next start ends what is left over."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from careroute.local.child import Spec
from careroute.local.errors import ChildEnded, StackError
from careroute.local.folder import FolderLock
from careroute.local.ledger import Ledger, lives
from careroute.local.processes import Processes
from careroute.local.waiting import until
from tests.local.conftest import Supervise
from tests.local.supervisors import sleeper

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends the leftovers")


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Processes]:
    children = Processes(tmp_path)
    yield children
    for name in children.names():
        children.kill(name)


def script(name: str, folder: Path, text: str) -> Spec:
    return replace(sleeper(name, folder), command=("sh", "-c", text))


@pytest.mark.parametrize(
    "number, code",
    [
        (signal.SIGINT, 0),
        (signal.SIGTERM, 128 + signal.SIGTERM),
        (signal.SIGHUP, 128 + signal.SIGHUP),
        pytest.param(signal.SIGKILL, -signal.SIGKILL, marks=on_linux),
    ],
)
def test_no_child_outlives_its_parent(supervise: Supervise, tmp_path: Path, number: int, code: int) -> None:
    supervisor = supervise("plain", tmp_path)
    assert len(supervisor.family) == 3
    assert supervisor.end(number) == code
    assert supervisor.family_is_gone()


def left_behind(folder: Path, command: tuple[str, ...], *, age: float = 0) -> subprocess.Popen[bytes]:
    """A process that the ledger of that folder knows, started that many seconds earlier than it says."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    ledger = Ledger(folder / "processes.json")
    ledger.add("leftover", process.pid, signal.SIGTERM)
    if age:
        [entry] = ledger.entries()
        ledger._write([replace(entry, created=entry.created - age)])
    return process


def test_a_next_start_ends_what_is_left_over(tmp_path: Path) -> None:
    with left_behind(tmp_path, ("sleep", "600")) as process:
        assert Processes(tmp_path).end_leftovers() == ["leftover"]
        assert process.wait(5) == -signal.SIGTERM
    assert Processes(tmp_path).end_leftovers() == []


def test_a_leftover_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = sleeper("deaf", tmp_path, deaf=True)
    with left_behind(tmp_path, deaf.command) as process:
        assert process.stdout and process.stdout.readline() == b"up\n"
        Ledger(tmp_path / "processes.json").end_leftovers(seconds=0.3)
        assert process.wait(5) == -signal.SIGKILL


def test_another_program_that_got_the_same_id_is_left_alone(tmp_path: Path) -> None:
    with left_behind(tmp_path, ("sleep", "600"), age=60) as process:
        assert Processes(tmp_path).end_leftovers() == []
        assert process.poll() is None
        process.kill()


@pytest.mark.parametrize("content", ["", "[{", '[{"name": 1}'])
def test_a_torn_ledger_is_an_empty_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "processes.json").write_text(content)
    assert Processes(tmp_path).end_leftovers() == []


def test_one_child_is_killed_and_started_again(children: Processes, tmp_path: Path) -> None:
    spec = sleeper("one", tmp_path)
    children.start(spec)
    first = psutil.Process(children.pid("one"))
    children.kill("one")
    assert not lives(first)
    children.start(spec)
    assert children.pid("one") != first.pid
    assert [entry.pid for entry in Ledger(tmp_path / "processes.json").entries()] == [children.pid("one")]


def test_killing_a_child_kills_its_group(children: Processes, tmp_path: Path) -> None:
    children.start(script("parent", tmp_path, "sleep 600 & sleep 600"))
    parent = psutil.Process(children.pid("parent"))
    assert until(lambda: len(parent.children()) == 2, 5)
    family = parent.children()
    children.kill("parent")
    assert not any(lives(member) for member in family)


def test_a_child_that_ends_early_says_so_with_the_end_of_its_log(children: Processes, tmp_path: Path) -> None:
    children.start(script("hasty", tmp_path, "echo earlier run; exit 0"))
    assert until(lambda: bool(children.ended()), 5)
    children.start(script("hasty", tmp_path, "echo no such table; exit 3"))
    with pytest.raises(ChildEnded) as caught:
        children.wait({"hasty": lambda: False}, 5)
    assert "hasty ended with exit code 3" in str(caught.value)
    assert str(caught.value).endswith("no such table")
    assert "earlier run" not in str(caught.value)


def test_a_child_that_does_not_get_ready_says_so(children: Processes, tmp_path: Path) -> None:
    children.start(sleeper("slow", tmp_path))
    with pytest.raises(StackError, match=r"slow was not ready within 0 s"):
        children.wait({"slow": lambda: False}, 0.1)


def test_a_missing_program_is_a_sentence(children: Processes, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"^gone could not be started: .*no-such-program"):
        children.start(replace(sleeper("gone", tmp_path), command=("no-such-program",)))


def test_what_runs_to_its_end_must_end_well(children: Processes, tmp_path: Path) -> None:
    children.run(script("good", tmp_path, "true"), 5)
    with pytest.raises(ChildEnded, match="bad ended with exit code 1"):
        children.run(script("bad", tmp_path, "false"), 5)
    with pytest.raises(StackError, match="endless was not ready within"):
        children.run(sleeper("endless", tmp_path), 0.1)
    assert children.names() == []


def test_children_start_in_the_main_thread_only(children: Processes, tmp_path: Path) -> None:
    refusals: list[RuntimeError] = []

    def attempt() -> None:
        try:
            children.start(sleeper("threaded", tmp_path))
        except RuntimeError as error:
            refusals.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    assert len(refusals) == 1
    assert children.names() == []


def test_a_log_is_for_its_owner_alone(children: Processes, tmp_path: Path) -> None:
    children.start(sleeper("one", tmp_path))
    assert (tmp_path / "logs").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "logs" / "one.log").stat().st_mode & 0o777 == 0o600


def test_a_folder_is_used_by_one_stack_at_a_time(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    first.take()
    assert second.held_by_someone()
    with pytest.raises(StackError, match=rf"is in use by another stack \(process {os.getpid()}\)"):
        second.take()
    first.release()
    assert not second.held_by_someone()
    second.take()
    second.release()


def test_stopping_that_is_interrupted_kills_the_rest(children: Processes, tmp_path: Path) -> None:
    children.start(replace(sleeper("deaf", tmp_path, deaf=True), stop_seconds=60))
    process = psutil.Process(children.pid("deaf"))
    children.wait({"deaf": lambda: "up" in (tmp_path / "logs" / "deaf.log").read_text()}, 10)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with suppress(KeyboardInterrupt):
            children.stop("deaf")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not lives(process)
