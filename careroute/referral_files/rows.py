"""Referrals from a spreadsheet: one row each, the columns named after the places in the form.

    client.name                         a text; the dots lead to its place
    client.languages, problems          several values in one cell, separated by semicolons
    client.perinatal                    true or false
    screening.phq9                      the answers in order: `2;1;refused;;unknown`, nothing for not ticked
    screening.phq9.taken_on             the day of that sheet; also `.language` and `.stated_total`
    wish.hours, must.therapist_gender   what the client asked for, best liked first

An empty cell is a field left out.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.instruments import INSTRUMENTS, SAFETY_INSTRUMENTS
from shared.vocabulary import Criterion

Json = dict[str, Any]

LISTS: Final = ("client.languages", "problems", "diagnoses", "red_flags", "external_levels")
CODED: Final = ("goals", "strengths")
TRUTHS: Final = (
    "client.interpreter_ok",
    "client.perinatal",
    "client.guardian.present",
    "consent.share_with_network",
    "consent.share_substance_use",
    "history.past_attempt",
    "express",
)
_CONTACT: Final = ("phone", "email", "address", "how")
_WHO: Final = ("name", "organisation", "role", "phone", "email")
TEXTS: Final = (
    "idempotency_key",
    *(
        f"client.{name}"
        for name in ("name", "region", "birth_date", "postal_area", "sex", "gender", "pronouns")
    ),
    *(f"client.contact.{name}" for name in _CONTACT),
    *(f"client.guardian.{name}" for name in ("name", "relationship")),
    *(f"client.guardian.contact.{name}" for name in _CONTACT),
    *(f"referrer.{name}" for name in _WHO),
    *(f"primary_care.{name}" for name in _WHO),
    *("consent.version", "history.words", "requested_priority", "payer", "notes"),
)
SHEETS: Final = tuple(f"screening.{key}" for key in INSTRUMENTS)
SHEET_PARTS: Final = tuple(
    f"{sheet}.{part}" for sheet in SHEETS for part in ("taken_on", "language", "stated_total")
)
WISHES: Final = tuple(f"{strength}.{criterion}" for strength in ("wish", "must") for criterion in Criterion)
COLUMNS: Final = frozenset((*TEXTS, *LISTS, *CODED, *TRUTHS, *SHEETS, *SHEET_PARTS, *WISHES))

CANNOT_WAIT: Final = frozenset(
    {"red_flags", "express", "requested_priority", "diagnoses"}
    | {f"screening.{key}" for key in SAFETY_INSTRUMENTS}
)
"""Columns that can say that something cannot wait."""

YES: Final = ("true", "yes", "1")
NO: Final = ("false", "no", "0")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a line that must be mended before it can be sent. Quotes nothing that stands there."""

    line: int
    where: str
    what: str


class WrongColumns(Exception):
    """The first line does not name columns that a referral has."""


class _Wrong(ValueError):
    """A cell that cannot be read."""


def read(text: str) -> Iterator[tuple[int, Json] | list[Fault]]:
    """Each row with the number of its line, or what is wrong with it. Raises `WrongColumns`."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = _header(reader)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield [Fault(line, "", "Not CSV: a quotation mark that does not close, or one too many.")]
            continue
        if any(cell.strip() for cell in cells):
            yield _row(line, header, cells)


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error:
        header = []
    unknown = [str(place) for place, name in enumerate(header, 1) if name not in COLUMNS]
    if unknown or not header:
        which = f"column {', '.join(unknown)} is not known" if unknown else "it is empty"
        raise WrongColumns(
            f"The first line must name the columns of a referral; {which}. See examples/README.md."
        )
    if len(set(header)) < len(header):
        twice = sorted({name for name in header if header.count(name) > 1})
        raise WrongColumns(f"Each column may be there once; twice is {', '.join(twice)}.")
    return header


def _row(line: int, header: Sequence[str], cells: Sequence[str]) -> tuple[int, Json] | list[Fault]:
    if len(cells) != len(header):
        what = f"Has {len(cells)} cells where the first line names {len(header)} columns."
        return [Fault(line, "", what)]
    given = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip()}
    faults = []
    form: Json = {}
    for name, cell in given.items():
        try:
            _put(form, name, cell, given)
        except _Wrong as wrong:
            faults.append(Fault(line, name, str(wrong)))
    if faults and CANNOT_WAIT.isdisjoint(given):
        return faults
    for fault in faults:
        _put_as_written(form, fault.where, given[fault.where])
    return line, form


def _put_as_written(form: Json, name: str, cell: str) -> None:
    """For the service to read: it takes a row that cannot wait, and names what it could not read."""
    rest = name.partition(".")[2]
    if name in SHEETS:
        answers = [_answer_or_text(part) for part in cell.split(";")]
        form.setdefault("screenings", []).append({"instrument": rest, "answers": answers})
    elif name in SHEET_PARTS:
        instrument, _, part = rest.partition(".")
        form.setdefault("screenings", []).append({"instrument": instrument, part: cell})
    else:
        _at(form, name.split("."), cell)


def _answer_or_text(part: str) -> int | str | None:
    try:
        return _answer(part)
    except _Wrong:
        return part


def _put(form: Json, name: str, cell: str, given: Json) -> None:
    kind, _, rest = name.partition(".")
    if name in SHEETS:
        form.setdefault("screenings", []).append(_sheet(rest, cell, given))
    elif name in SHEET_PARTS:
        _belongs(name, given)
    elif name in WISHES:
        wish = {"criterion": rest, "values": _values(cell), "strength": kind}
        form.setdefault("preferences", []).append(wish)
    elif name in CODED:
        form[name] = [{"code": code} for code in _values(cell)]
    else:
        _at(form, name.split("."), _plain(name, cell))


def _plain(name: str, cell: str) -> Any:
    if name in LISTS:
        return _values(cell)
    return _truth(cell) if name in TRUTHS else cell


def _at(form: Json, path: Sequence[str], value: Any) -> None:
    for part in path[:-1]:
        form = form.setdefault(part, {})
    form[path[-1]] = value


def _sheet(instrument: str, cell: str, given: Json) -> Json:
    sheet: Json = {"instrument": instrument, "answers": [_answer(part) for part in cell.split(";")]}
    for part in ("taken_on", "language"):
        if value := given.get(f"screening.{instrument}.{part}"):
            sheet[part] = value
    if total := given.get(f"screening.{instrument}.stated_total"):
        sheet["stated_total"] = int(total) if total.isdecimal() and len(total) < 4 else total
    return sheet


def _belongs(name: str, given: Json) -> None:
    sheet = name.rpartition(".")[0]
    if sheet not in given:
        raise _Wrong(f"There are no answers in {sheet}.")


def _answer(part: str) -> int | str | None:
    part = part.strip()
    if not part:
        return None
    if part in ("refused", "unknown"):
        return part
    if part.isdecimal() and len(part) < 4:
        return int(part)
    raise _Wrong("Takes answers in order, separated by semicolons: a number, refused, unknown or nothing.")


def _values(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _truth(cell: str) -> bool:
    word = cell.lower()
    if word in YES:
        return True
    if word in NO:
        return False
    raise _Wrong("Takes true or false.")
