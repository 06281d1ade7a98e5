"""From bytes to a form, or to one answer that names everything that is wrong with it."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from services.intake.api.field_names import nameable
from services.intake.api.requests import Form, ScreeningForm
from services.intake.domain.acceptance import Filled, accept
from services.intake.domain.screening_notes import Note, Sheet, to_mend
from shared.moments import day
from shared.web.problems import Fault, Problem, faults

F = TypeVar("F", bound=Form)

NOT_TAKEN: Final = "NOT taken; nobody has been told."
"""How every refusal of a form begins."""
MOST_FAULTS: Final = 100
_OBJECT: Final[TypeAdapter[dict[str, Any]]] = TypeAdapter(dict[str, Any])


def read(form: type[F], body: bytes, *, now: datetime) -> F:
    """Raises `Problem` 400 for what is not JSON and 422 for the rest."""
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    raise problem_of(found, body, now)


def read_object(body: bytes, *, now: datetime) -> dict[str, Any]:
    """A JSON object. Raises `Problem` 400 for what is not JSON and 422 for what is no object."""
    try:
        return _OBJECT.validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    raise problem_of(found, body, now)


def refused(notes: Iterable[Note]) -> Problem:
    return invalid([Fault(note.where, note.what, note.code) for note in notes])


def invalid(found: list[Fault]) -> Problem:
    detail = f"{NOT_TAKEN} Every problem is listed in `errors`."
    if len(found) > MOST_FAULTS:
        detail = f"{NOT_TAKEN} The first {MOST_FAULTS} of {len(found)} problems are in `errors`."
    return Problem(422, "invalid", detail, faults=found[:MOST_FAULTS])


def problem_of(errors: list[Any], body: bytes, now: datetime) -> Problem:
    raw = lenient(body)
    if any(error["type"] == "json_invalid" for error in errors):
        return _not_json(raw)
    places = {tuple(error["loc"][:-1]) for error in errors}
    errors = [e for e in errors if e["type"] != "too_short" or tuple(e["loc"]) not in places]
    named = [{**error, "loc": ("body", *map(nameable, error["loc"]))} for error in errors]
    found = faults(named)
    known = {fault.where for fault in found}
    beyond = [*_birth_aside(raw, now), *_sheets_aside(raw, now)]
    return invalid(found + [Fault(n.where, n.what, n.code) for n in beyond if n.where not in known])


def lenient(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _not_json(raw: Any) -> Problem:
    if raw is None:
        return Problem(400, "not_json", f"{NOT_TAKEN} The body is not JSON in UTF-8.")
    what = "Half of a surrogate pair is not text. Send the whole character."
    return invalid([Fault(where, what, "not_text") for where in _not_text(raw, "")])


def _not_text(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        yield where or "/"
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _not_text(each, f"{where}/{place}")
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _not_text(each, f"{where}/{nameable(name)}")
            yield from _not_text(name, f"{where}/{nameable(name)}")


def _sheets_aside(raw: Any, now: datetime) -> Iterator[Note]:
    """The answer sheets that can be read although other parts of the form cannot."""
    sheets = raw.get("screenings") if isinstance(raw, dict) else None
    for place, sheet in enumerate(sheets[:50] if isinstance(sheets, list) else ()):
        try:
            form = ScreeningForm.model_validate_json(json.dumps(sheet))
        except ValidationError:
            continue
        for note in to_mend((sheet_of(form),), today=now.date()):
            yield dataclasses.replace(note, where=note.where.replace("/0", f"/{place}", 1))


def _birth_aside(raw: Any, now: datetime) -> Iterable[Note]:
    client = raw.get("client") if isinstance(raw, Mapping) else None
    try:
        born = day(client["birth_date"])  # type: ignore[index]  # a TypeError says so too
    except (TypeError, KeyError, ValueError):
        return ()
    return accept(Filled(birth_date=born), age_of_majority=18, today=now.date()).faults


def sheet_of(form: ScreeningForm) -> Sheet:
    return Sheet(
        instrument=form.instrument,
        taken_on=form.taken_on,
        answers=form.answers,
        stated_total=form.stated_total,
        language=form.language,
    )
