"""Writes the data files of this folder: `python -m examples.make`. The same bytes every time."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from examples.making import flat
from examples.making.network_file import network_file
from examples.making.people_to_tell import clinics, on_call
from examples.making.places import areas
from examples.making.scenarios import batch, catalogue, sent_again
from examples.making.therapists import therapists

FOLDER: Final = Path(__file__).parent


def files() -> dict[str, bytes]:
    """The content of every data file, by name."""
    roster, places = therapists(), areas()
    return {
        "therapists.csv": _csv(roster[0], roster),
        "areas.csv": _csv(places[0], places),
        "network.toml": network_file().encode(),
        "clinics.json": _json(clinics()),
        "oncall.json": _json(on_call()),
        "referrals.ndjson": b"".join(map(_line, batch())),
        "referrals-again.ndjson": b"".join(map(_line, sent_again())),
        "referrals.csv": _csv(flat.COLUMNS, flat.rows()),
        "scenarios.json": _json(catalogue()),
    }


def _csv(columns: Iterable[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _line(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def main() -> None:
    for name, content in files().items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
