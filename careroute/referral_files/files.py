"""Referrals in a file: JSON (one, or a list), NDJSON or CSV, each with a key, so that it is taken once.

Nothing of what a person wrote is ever quoted: a fault names its line and what to mend.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from careroute.local.errors import StackError
from careroute.referral_files import rows
from careroute.referral_files.rows import Fault

KINDS: Final = ".json, .ndjson, .jsonl or .csv"


@dataclass(frozen=True, slots=True)
class Line:
    """A referral as one line of a batch; `number` is where it begins in the file, the first line being 1."""

    number: int
    body: bytes


def read(file: Path, *, clinic: str) -> Iterator[Line | Fault]:
    """Raises `StackError` for a file that is no list of referrals at all."""
    found = False
    for item in _read(file):
        if isinstance(item, Fault):
            yield item
        else:
            number, form = item
            yield Line(number, as_line(form, clinic=clinic))
        found = True
    if not found:
        raise StackError(f"{file} holds no referral.")


def as_line(form: dict[str, Any], *, clinic: str) -> bytes:
    """A form without a key gets one from its content: sent again unchanged, it is the same referral."""
    if form.get("idempotency_key") is None:
        form = {**form, "idempotency_key": derived_key(form, clinic=clinic)}
    return json.dumps(form, separators=(",", ":")).encode()


def derived_key(form: dict[str, Any], *, clinic: str) -> str:
    """Whatever the order of its fields."""
    content = {name: value for name, value in form.items() if name != "idempotency_key"}
    canonical = json.dumps([clinic, content], sort_keys=True, separators=(",", ":"))
    return "content-" + hashlib.sha256(canonical.encode()).hexdigest()


def _read(file: Path) -> Iterator[tuple[int, dict[str, Any]] | Fault]:
    content = _bytes(file)
    match file.suffix.lower():
        case ".ndjson" | ".jsonl":
            yield from _ndjson(content)
        case ".json":
            yield from _json(file, _text(file, content))
        case ".csv":
            yield from _csv(file, _text(file, content))
        case _:
            raise StackError(f"{file}: its name should end in {KINDS}, which says how to read it.")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StackError(f"{file} cannot be read: {error.strerror}.") from None


def _text(file: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise StackError(f"{file}, line {line}: this is not UTF-8. Save the file as UTF-8.") from None


def _ndjson(content: bytes) -> Iterator[tuple[int, dict[str, Any]] | Fault]:
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            value = _parse(line.decode())
        except (ValueError, RecursionError):
            yield Fault(number, "", "This line is not JSON in UTF-8.")
            continue
        yield _object(number, value)


def _json(file: Path, text: str) -> Iterator[tuple[int, dict[str, Any]] | Fault]:
    try:
        whole = _parse(text)
    except json.JSONDecodeError as error:
        raise StackError(f"{file}, line {error.lineno}: this is not JSON.") from None
    except (ValueError, RecursionError):
        raise StackError(f"{file} is not JSON that can be read.") from None
    if not isinstance(whole, list):
        yield _object(1, whole)
        return
    for number, value in zip(_beginnings(text, len(whole)), whole, strict=True):
        yield _object(number, value)


def _beginnings(text: str, count: int) -> Iterator[int]:
    """The line on which each value of a list begins."""
    decoder, place = json.JSONDecoder(), text.index("[") + 1
    for _ in range(count):
        while text[place].isspace() or text[place] == ",":
            place += 1
        yield text.count("\n", 0, place) + 1
        _, place = decoder.raw_decode(text, place)


def _parse(text: str) -> Any:
    return json.loads(text, parse_constant=_no_number)


def _no_number(_: str) -> NoReturn:
    raise ValueError


def _object(number: int, value: Any) -> tuple[int, dict[str, Any]] | Fault:
    if isinstance(value, dict):
        return number, value
    return Fault(number, "", "A referral is a JSON object, in braces.")


def _csv(file: Path, text: str) -> Iterator[tuple[int, dict[str, Any]] | Fault]:
    try:
        for row in rows.read(text):
            if isinstance(row, tuple):
                yield row
            else:
                yield from row
    except rows.WrongColumns as error:
        raise StackError(f"{file}: {error}") from None
