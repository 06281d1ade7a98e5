"""Supervisors to be killed, and what is left of them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from careroute.local import postgres_home
from careroute.local.ledger import lives
from careroute.local.waiting import until

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Supervisor:
    process: subprocess.Popen[str]
    family: list[psutil.Process]
    urls: dict[str, str]

    def end(self, number: int) -> int:
        """Sends the signal and returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def family_is_gone(self, seconds: float = 15) -> bool:
        return until(lambda: not any(lives(member) for member in self.family), seconds)


Supervise = Callable[[str, Path], Supervisor]


@pytest.fixture
def supervise() -> Iterator[Supervise]:
    """`supervise("stack", folder)`: one of `tests.local.supervisors`, up."""
    started: list[Supervisor] = []

    def start(name: str, folder: Path) -> Supervisor:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.local.supervisors", name, str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=own_environment(),
        )
        assert process.stdout
        report = json.loads(process.stdout.readline())
        family = [psutil.Process(pid) for pid in report["pids"]]
        started.append(Supervisor(process, family, report["urls"]))
        return started[-1]

    yield start
    for supervisor in started:
        for member in filter(lives, supervisor.family):
            member.kill()
        supervisor.process.kill()
        supervisor.process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A stack's folder; as root its data are elsewhere, and go too."""
    place = tmp_path / "stack"
    yield place
    postgres_home.remove_home(place)
    shutil.rmtree(place, ignore_errors=True)


def own_environment() -> dict[str, str]:
    """Without what a developer's shell may say about another stack."""
    ours = ("KAFKA_", "INTAKE_", "TRIAGE_", "MATCHING_", "NOTIFY_", "CAREROUTE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
