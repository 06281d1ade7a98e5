"""Where Apache Kafka cannot run, one sentence says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from careroute.local.errors import StackError
from tests.apache import jars

ROOT = Path(__file__).parents[2]


def pretend_java(home: Path, says: str) -> None:
    program = home / "bin" / "java"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    "says",
    [
        'java version "1.8.0_402"',  # the old way of counting
        'openjdk version "11.0.22" 2024-01-16',
        "no such thing",
    ],
)
def test_a_java_too_old_is_named(says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_java(tmp_path, says)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(StackError, match=r"needs Java 17 or newer; \S+/bin/java is older"):
        jars.java()


@pytest.mark.parametrize("says", ['openjdk version "17.0.15" 2025-04-15', 'java version "25" 2025-09-16 LTS'])
def test_a_java_new_enough_is_taken(says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_java(tmp_path, says)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert jars.java() == str(tmp_path / "bin" / "java")


def test_without_java_the_run_ends_with_one_sentence(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--kafka=apache", "tests/wire"],
        cwd=ROOT,
        env=environment | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode != 0
    assert "Apache Kafka needs Java 17 or newer and none was found." in run.stderr
    assert "Traceback" not in run.stdout + run.stderr
