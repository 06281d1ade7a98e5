"""Reads policy files. A policy may extend another: what it states itself replaces what that one states.

It names the version it was written on, so that nobody's signed policy changes when the other one does.
"""

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from services.triage.policy.schema import IndicationsFile, PolicyFile
from shared.errors import Misconfigured

POLICIES: Final = Path(__file__).parents[1] / "policies"

OWN: Final = ("name", "version", "status", "extends", "extends_version")
"""What a policy states for itself and never takes over."""
BY_ID: Final = ("rule", "level", "team")
BY_KEY: Final = ("clocks", "clock_sources", "review", "next_steps", "advice", "questions", "waiting")

Table = dict[str, Any]
Shape = TypeVar("Shape", PolicyFile, IndicationsFile)


class PolicyRefused(Misconfigured):
    """A policy that can not be loaded, with every fault found in it."""

    def __init__(self, name: str, faults: list[str]) -> None:
        super().__init__(f"{name}: " + "; ".join(faults))
        self.faults = tuple(faults)


def read_policy(path: Path) -> PolicyFile:
    """Raises `PolicyRefused`, naming every fault of the shape."""
    own = _toml(path)
    if "extends" not in own:
        return _shaped(path, own, PolicyFile)
    faults: list[str] = []
    whole = _extended(own, _base(path, own), faults.append)
    if faults:
        raise PolicyRefused(path.name, faults)
    return _shaped(path, whole, PolicyFile)


def read_indications(path: Path) -> IndicationsFile:
    return _shaped(path, _toml(path), IndicationsFile)


def _toml(path: Path) -> Table:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyRefused(str(path), [f"cannot be read ({type(error).__name__})"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyRefused(path.name, [f"not TOML: {error}"]) from None


def _shaped(path: Path, table: Table, shape: type[Shape]) -> Shape:
    try:
        return shape.model_validate(table)
    except ValidationError as error:
        faults = [f"{_place(table, e['loc'])}: {e['msg']}" for e in error.errors()]
        raise PolicyRefused(path.name, faults) from None


def _place(table: Table, location: tuple[int | str, ...]) -> str:
    """Where a fault is, a rule by its id."""
    found: Any = table
    for part in location[:2]:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            break
    name = found.get("id") if isinstance(found, dict) else None
    parts = (location[0], name, *location[2:]) if name else location
    return ".".join(str(part) for part in parts)


def _base(path: Path, own: Table) -> Table:
    """The policy that is extended: beside this file, else one of those that ship."""
    name = own["extends"]
    if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum():
        raise PolicyRefused(path.name, ["extends: give the name of a policy, such as network-default"])
    beside = path.parent / f"{name}.toml"
    base = _toml(beside if beside.exists() else POLICIES / f"{name}.toml")
    if "extends" in base:
        raise PolicyRefused(path.name, [f"extends: {name} extends another policy itself; extend that one"])
    if base.get("version") != own.get("extends_version"):
        fault = f"extends_version: {name} is at version {base.get('version')}; read it again, then name that"
        raise PolicyRefused(path.name, [fault])
    return base


def _extended(own: Table, base: Table, fault: Callable[[str], None]) -> Table:
    whole = {key: value for key, value in base.items() if key not in OWN}
    for key, value in own.items():
        before: Any = whole.get(key)
        if key in BY_ID and _tables(value) and _tables(before):
            whole[key] = list(_rules(value, before, fault))
        elif key in BY_KEY and isinstance(value, dict) and isinstance(before, dict):
            whole[key] = before | value
        elif key == "reasons" and _tables([value, before]) and _tables([*value.values(), *before.values()]):
            whole[key] = {action: before.get(action, {}) | value.get(action, {}) for action in before | value}
        else:
            whole[key] = value
    return whole


def _tables(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, dict) for value in values)


def _rules(own: list[Table], base: list[Table], fault: Callable[[str], None]) -> Iterator[Table]:
    """A rule with `replaces = true` takes the place of the one with its id; the others are added."""
    there = {rule.get("id") for rule in base}
    instead: dict[Any, Table] = {}
    added: list[Table] = []
    for rule in own:
        id_, replaces = rule.get("id"), rule.get("replaces", False)
        plain = {key: value for key, value in rule.items() if key != "replaces"}
        if replaces and (id_ not in there or id_ in instead):
            fault(
                f"{id_}: replaces nothing; the policy that is extended has no such rule, or it was replaced"
            )
        elif replaces:
            instead[id_] = plain
        elif id_ in there:
            fault(f"{id_}: is a rule of the policy that is extended; say `replaces = true` to take its place")
        else:
            added.append(plain)
    yield from (instead.get(rule.get("id"), rule) for rule in base)
    yield from added
