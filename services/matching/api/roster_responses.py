"""Responses of the roster's API."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.matching.api.therapist_models import EXAMPLE, TherapistEntry
from services.matching.domain.therapist_entry import StoredTherapist
from shared.languages import language

EXAMPLE_ID: Final = "0190163d-8694-739b-aea5-966c26f8ad91"


class EntryWarning(BaseModel):
    """Something in an entry that was taken and should be made clearer."""

    column: str
    what: str
    code: str


WHICH_LANGUAGE: Final = (
    "This code covers several languages, and clients who state one of them are not matched by it. Ask which "
    "are spoken and state those, such as `cmn` or `yue` for `zh`."
)


def entry_warnings(languages: Iterable[str]) -> list[EntryWarning]:
    return [
        EntryWarning(column=f"languages.{place}", what=WHICH_LANGUAGE, code="spoken_language")
        for place, tag in enumerate(languages)
        if (found := language(tag)) and found.is_group
    ]


class KeptTherapist(TherapistEntry):
    """An entry as it is stored. `version` is what `If-Match` takes; `places_taken` counts offers open or
    accepted."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": EXAMPLE_ID, "version": 3, "places_taken": 1, **EXAMPLE}]}
    )

    id: UUID
    version: int
    places_taken: int
    languages: list[str]  # an old entry may hold what is refused today
    warnings: list[EntryWarning] = Field(default_factory=list, exclude_if=lambda warnings: not warnings)


def kept_therapist(row: StoredTherapist) -> KeptTherapist:
    entry = {field.name: getattr(row.entry, field.name) for field in fields(row.entry)}
    return KeptTherapist(
        id=row.id,
        version=row.version,
        places_taken=row.places_taken,
        warnings=entry_warnings(row.entry.languages),
        **entry,
    )


class Therapists(BaseModel):
    """`next_cursor` asks for the following page, as `cursor`; null at the end."""

    therapists: list[KeptTherapist]
    next_cursor: str | None


class ImportFault(BaseModel):
    column: str
    what: str
    code: str


class WarnedLine(BaseModel):
    """A line that was taken."""

    line: int
    warnings: list[EntryWarning]


class RejectedLine(BaseModel):
    """A line that was not taken, counted as an editor counts, the first line being 1."""

    line: int
    errors: list[ImportFault]


_REJECTED: Final[dict[str, JsonValue]] = {
    "line": 3,
    "errors": [{"column": "languages", "what": "Field required", "code": "missing"}],
}


class ImportedTherapists(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"created": 198, "updated": 1, "unchanged": 0, "rejected": [_REJECTED]}]
        }
    )

    created: int
    updated: int
    unchanged: int
    rejected: list[RejectedLine]
    warnings: list[WarnedLine] = []


class ImportedAreas(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"changed": 12, "unchanged": 0, "rejected": []}]}
    )

    changed: int
    unchanged: int
    rejected: list[RejectedLine]
