"""Where an engine has the images, the tests take Kafka and Postgres in containers, and leave none behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.compose.host import ROOT, engine
from tests.containers import LABEL

pytestmark = pytest.mark.timeout(600)

KILLED = "tests/integration/kafka/test_start.py"
QUICK = (
    "tests/integration/kafka/test_start.py",
    "tests/integration/shared/test_outbox_inbox.py",
    "-k",
    "recovers or kept or claim",
)


def containers() -> list[str]:
    return engine("ps", "--all", "--quiet", "--filter", f"label={LABEL}").split()


@pytest.fixture(autouse=True)
def none_left() -> Iterator[None]:
    yield
    if left := containers():
        engine("rm", "--force", "--volumes", *left)


def run(*arguments: str) -> "subprocess.Popen[str]":
    own = {name: value for name, value in os.environ.items() if name != "KAFKA_BOOTSTRAP_SERVERS"}
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments], cwd=ROOT, env=own, stdout=subprocess.PIPE, text=True
    )


def test_tests_stand_on_containers_and_kill_and_start_them() -> None:
    said, _ = (started := run(*QUICK)).communicate(timeout=300)
    assert started.returncode == 0, said
    assert f"kafka: a container of {os.environ['KAFKA_IMAGE']}" in said
    assert f"postgres: a container of {os.environ['POSTGRES_IMAGE']}" in said
    assert containers() == []


def test_what_a_killed_run_left_is_removed_by_the_next() -> None:
    killed = run(KILLED)
    until = time.monotonic() + 60
    while not containers():
        assert time.monotonic() < until, "no container came"
        time.sleep(0.1)
    left = set(containers())
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert left <= set(containers())
    said, _ = run(*QUICK).communicate(timeout=300)
    assert "passed" in said
    assert not left & set(containers())
