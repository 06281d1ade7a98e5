"""Which rules decided? One short name for all that a decision by rules depends on: the policy's content, the
instruments, the clinical code lists, and the code that applies them.

It says that something is different, not that anybody would be decided differently.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date, time, timedelta
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from services.triage.domain.policy import Policy

ROOT: Final = Path(__file__).parents[3]
DECIDES: Final = (
    "services/triage/domain",
    "services/triage/case_mapping.py",
    "shared/clinical",
    "shared/instruments",
    "shared/vocabulary.py",
)
"""Files and folders."""
LENGTH: Final = 16


def with_digest(policy: Policy) -> Policy:
    """The policy with `digest` set from everything else in it."""
    content = hashlib.sha256(_code().encode())
    content.update(repr(_plain(replace(policy, digest=""))).encode())
    return replace(policy, digest=content.hexdigest()[:LENGTH])


@lru_cache
def _code() -> str:
    content = hashlib.sha256()
    for path in _files():
        content.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()


def _files() -> Iterator[Path]:
    for name in DECIDES:
        path = ROOT / name
        found = path.rglob("*") if path.is_dir() else [path]
        yield from sorted(p for p in found if p.is_file() and "__pycache__" not in p.parts)


def _plain(value: Any) -> Any:
    """Nested tuples whose `repr` is the same in every process. Raises `TypeError` for other types."""
    match value:
        case Enum():
            return value.value
        case None | bool() | int() | float() | str() | bytes():
            return value
        case timedelta() | date() | time():
            return str(value)
        case re.Pattern():
            return (value.pattern, value.flags)
        case Path():
            return value.name
        case set() | frozenset():
            return tuple(sorted(map(_plain, value), key=repr))
        case dict():
            return tuple(sorted(((_plain(k), _plain(v)) for k, v in value.items()), key=repr))
        case list() | tuple():
            return tuple(map(_plain, value))
    if is_dataclass(value):
        parts = ((field.name, _plain(getattr(value, field.name))) for field in fields(value))
        return (type(value).__name__, *parts)
    raise TypeError(f"{type(value).__name__} in a policy has no digest")
