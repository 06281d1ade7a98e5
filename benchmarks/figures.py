"""How a figure is told: a table for people and one JSON line for machines, with the machine it is from."""

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil

PACKAGES = (
    "aiokafka",
    "asyncpg",
    "fastapi",
    "faststream",
    "httpx",
    "numpy",
    "ortools",
    "pydantic",
    "uvicorn",
)


@dataclass(frozen=True)
class Spread:
    """Of repeated measurements: the middle one, the lowest and the highest."""

    middle: float
    lowest: float
    highest: float
    repeats: int

    def __str__(self) -> str:
        return f"{short(self.middle)} ({short(self.lowest)} to {short(self.highest)}, {self.repeats}x)"


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values), len(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 100) * len(ordered) // 100) - 1))]


def short(value: float) -> str:
    """Three digits that mean something."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    cells = [list(heads), *([cell if isinstance(cell, str) else _cell(cell) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(heads))]
    print(f"\n{title}\n")
    for number, row in enumerate(cells):
        print(
            "  "
            + "  ".join(
                _aligned(cell, width, place)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
        )
        if number == 0:
            print("  " + "  ".join("-" * width for width in widths))
    print()


def _cell(cell: object) -> str:
    return short(cell) if isinstance(cell, (int, float)) else str(cell)


def _aligned(cell: str, width: int, place: int) -> str:
    return cell.ljust(width) if place == 0 else cell.rjust(width)


def line(
    name: str,
    *,
    ours: Sequence[float],
    limit: Sequence[float],
    unit: str,
    n: int,
    more: Mapping[str, object] | None = None,
) -> None:
    """One JSON line. `ours` and `limit` are taken in pairs; the ratio is the middle of the pairs' ratios."""
    ratios = spread([mine / theirs for mine, theirs in zip(ours, limit, strict=True)])
    said = {
        "name": name,
        "ours": _rounded(spread(ours).middle),
        "limit": _rounded(spread(limit).middle),
        "ratio": _rounded(ratios.middle),
        "unit": unit,
        "n": n,
        "repeats": ratios.repeats,
        "ratio_lowest": _rounded(ratios.lowest),
        "ratio_highest": _rounded(ratios.highest),
        **(more or {}),
    }
    print(json.dumps(said), flush=True)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def machine(**more: str) -> None:
    """Where and on what this was measured, and how busy it was before."""
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.release()}"
    print(f"machine   {_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}")
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(f"versions  Python {platform.python_version()}, {packages}")
    for name, what in more.items():
        print(f"{name:9} {what}")
    load = ", ".join(f"{load:.2f}" for load in os.getloadavg())
    print(f"load      {load} (1, 5, 15 minutes, before the run)", flush=True)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((each.split(":", 1)[1].strip() for each in lines if each.startswith("model name")), "unknown")
