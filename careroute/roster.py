"""`careroute roster import`: where areas are, then therapists, to matching. Every line not taken is named."""

from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from careroute.calling import calling, require
from careroute.local.errors import StackError
from careroute.network import Network
from shared.web.auth import Role

PATIENCE: Final = httpx.Timeout(connect=5, read=300, write=300, pool=5)
"""A large roster is checked line by line before it is answered."""

MOST_SHOWN: Final = 200


def run(network: Network, file: Path, areas: Path | None, out: Console) -> int:
    """0 if every line was taken; the good ones are in any case. What is the same as before stays."""
    rejected = 0
    with calling(network, "matching", Role.COORDINATOR) as client:
        if areas is not None:
            rejected += _tell(areas, "areas", _import(client, "/v1/areas/import", areas), out)
        rejected += _tell(file, "therapists", _import(client, "/v1/therapists/import", file), out)
    return 1 if rejected else 0


def _import(client: httpx.Client, path: str, file: Path) -> dict[str, Any]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise StackError(f"{file} cannot be read: {error.strerror}.") from None
    headers = {"Content-Type": "text/csv; charset=utf-8"}
    answer: dict[str, Any] = require(client.post(path, content=content, headers=headers, timeout=PATIENCE))
    return answer


def _tell(file: Path, what: str, answer: dict[str, Any], out: Console) -> int:
    """How many lines were not taken."""
    rejected: list[dict[str, Any]] = answer.pop("rejected")
    warned: list[dict[str, Any]] = answer.pop("warnings", [])
    counts = ", ".join(f"{count} {name}" for name, count in answer.items())
    out.print(f"{file.name}: {counts} ({what}).", highlight=False, markup=False)
    if warned:
        out.print(_by_what(warned, "to make clearer"))
    if rejected:
        out.print(_table(rejected[:MOST_SHOWN], "errors", "not taken"))
        out.print(f"{len(rejected)} lines were not taken. Mend them and import the file again.")
    return len(rejected)


def _table(lines: list[dict[str, Any]], kind: str, title: str) -> Table:
    table = Table("line", "column", title)
    for line in lines:
        for fault in line[kind]:
            table.add_row(str(line["line"]), escape(fault["column"]), escape(fault["what"]))
    return table


def _by_what(lines: list[dict[str, Any]], title: str) -> Table:
    """The same sentence once, with every line that it is about."""
    found: dict[tuple[str, str], list[int]] = {}
    for line in lines:
        for warning in line["warnings"]:
            found.setdefault((warning["column"].partition(".")[0], warning["what"]), []).append(line["line"])
    table = Table("lines", "column", title)
    for (column, what), at in found.items():
        shown = ", ".join(map(str, dict.fromkeys(at)))
        table.add_row(shown, escape(column), escape(what))
    return table
