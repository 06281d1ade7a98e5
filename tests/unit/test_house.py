"""The rules of the house that import-linter cannot see; docs/decisions/0020 says what each is for."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

SERVICES: Final = Path(__file__).parents[2] / "services"
NAMES: Final = ("intake", "triage", "matching", "notify")
ROOMS: Final = {"api", "handlers", "jobs", "domain", "db"}
EXTRA_ROOMS: Final = {"triage": {"policy", "policies"}, "notify": {"channels"}}
IMPURE_CALLS: Final = {
    "now",
    "utcnow",
    "today",
    "monotonic",
    "uuid4",
    "uuid7",
    "uuid1",
    "open",
    "read_text",
}
"""Clocks, ids and files."""


@pytest.mark.parametrize("service", NAMES)
def test_every_service_has_the_same_rooms(service: str) -> None:
    rooms = {path.name for path in (SERVICES / service).iterdir() if path.is_dir()} - {"__pycache__"}
    assert rooms == ROOMS | EXTRA_ROOMS.get(service, set())
    assert (SERVICES / service / "app.py").is_file()
    assert list((SERVICES / service / "db" / "migrations").glob("*.sql"))


@pytest.mark.parametrize("service", NAMES)
def test_a_decision_reads_no_clock_makes_no_id_and_opens_no_file(service: str) -> None:
    files = sorted((SERVICES / service / "domain").glob("*.py"))
    assert len(files) > 5
    found = {f"{path.name}: {call}" for path in files for call in called(ast.parse(path.read_text()))}
    assert {each for each in found if each.rsplit(": ", 1)[-1] in IMPURE_CALLS} == set()


def called(tree: ast.AST) -> Iterator[str]:
    """The last name of everything that is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    yield name


def test_what_is_called_is_seen() -> None:
    assert set(called(ast.parse("x = datetime.now(UTC); open(y)"))) == {"now", "open"}


def test_every_path_in_the_walk_is_there() -> None:
    text = (SERVICES.parent / "docs" / "flow.md").read_text().partition("## 1.")[2]
    missing, below, seen = [], SERVICES, 0
    for path in re.findall(r"`([\w/.-]+(?:\.py|\.toml|/))`", text):
        if re.fullmatch(r"services/\w+/", path):
            below = SERVICES.parent / path
        elif "/" in path.rstrip("/") or path.endswith((".py", ".toml")):
            seen += 1
            if not ((below / path).exists() or (SERVICES.parent / path).exists()):
                missing.append(path)
    assert missing == []
    assert seen > 80
