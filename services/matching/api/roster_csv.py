"""Reading a roster or a list of areas from CSV: each wrong line is named, the others are taken.

The first line names the columns, which are the fields of the entry. Several values in one cell are separated
by semicolons; an empty cell is a field left out.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_origin
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from services.matching.api.network_entry import entry_in
from services.matching.api.therapist_models import AreaCode, TherapistEntry
from shared.network import NOTHING_CHECKED, Network
from shared.web.problems import Fault, Problem, faults

LISTS: Final = frozenset(
    name for name, info in TherapistEntry.model_fields.items() if get_origin(info.annotation) is list
)
COLUMNS: Final = ("id", *TherapistEntry.model_fields)
REQUIRED: Final = ("id", *(n for n, info in TherapistEntry.model_fields.items() if info.is_required()))
NOT_CSV: Final = "Not CSV: a quotation mark that does not close, or a cell of over 131,072 characters."
AREA_COLUMNS: Final = ("area", "latitude", "longitude")

_ID: Final = TypeAdapter(UUID)


class Area(BaseModel):
    area: AreaCode
    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that was not taken. `where` of a fault is the column."""

    line: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class GoodTherapist:
    line: int
    id: UUID
    entry: TherapistEntry


def read_therapists(text: str, network: Network = NOTHING_CHECKED) -> Iterator[GoodTherapist | Bad]:
    """In the network's codes. Raises `Problem` 422 if the columns are wrong, before anything is taken."""
    for line, row in _rows(text, COLUMNS, REQUIRED):
        if isinstance(row, Bad):
            yield row
            continue
        found: list[Fault] = []
        try:
            id_ = _ID.validate_python(row.pop("id", ""))
        except ValidationError:
            found.append(Fault("id", "Takes a UUID, the same for the same therapist every time.", "uuid"))
        try:
            given = TherapistEntry.model_validate({k: _cell(k, v) for k, v in row.items() if v})
            entry, unknown = entry_in(network, given)
            found += unknown
        except ValidationError as error:
            found += faults(error.errors(include_url=False))
        yield Bad(line, tuple(found)) if found else GoodTherapist(line, id_, entry)


def read_areas(text: str) -> Iterator[Area | Bad]:
    """Raises `Problem` 422 if the columns are wrong, before anything is taken."""
    for line, row in _rows(text, AREA_COLUMNS, AREA_COLUMNS):
        if isinstance(row, Bad):
            yield row
            continue
        try:
            yield Area.model_validate(row)
        except ValidationError as error:
            yield Bad(line, tuple(faults(error.errors(include_url=False))))


def _cell(name: str, value: str) -> Any:
    if name in LISTS:
        return [part.strip() for part in value.split(";") if part.strip()]
    return value


def _rows(
    text: str, columns: tuple[str, ...], required: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, str] | Bad]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
    except csv.Error:
        header = []
    _check_header(header, columns, required)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, Bad(line, (Fault("line", NOT_CSV, "not_csv"),))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        yield line, _named(line, header, cells)


def _named(line: int, header: list[str], cells: list[str]) -> dict[str, str] | Bad:
    if len(cells) != len(header):
        what = f"Has {len(cells)} cells where the first line names {len(header)} columns."
        return Bad(line, (Fault("line", what, "wrong_number_of_cells"),))
    return dict(zip(header, map(str.strip, cells), strict=True))


def _check_header(header: list[str], columns: tuple[str, ...], required: tuple[str, ...]) -> None:
    found = [
        Fault(name, "This column is missing.", "missing_column") for name in required if name not in header
    ]
    known = f"Known are: {', '.join(columns)}."
    found += [
        Fault(f"column {place}", f"The name of this column is not known. {known}", "unknown_column")
        for place, name in enumerate(header, 1)
        if name not in columns
    ]
    found += [
        Fault(name, "This column is there twice.", "column_twice")
        for name in columns
        if header.count(name) > 1
    ]
    if found:
        raise Problem(
            422, "wrong_columns", "Nothing was taken. The first line must name the columns.", faults=found
        )


def summary(bad: list[Bad], counts: Mapping[str, int]) -> dict[str, Any]:
    """The response to an import."""
    rejected = [
        {"line": b.line, "errors": [{"column": f.where, "what": f.what, "code": f.code} for f in b.faults]}
        for b in bad
    ]
    return {**counts, "rejected": rejected}
