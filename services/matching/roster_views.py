"""What the roster's API answers."""

from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue

from services.matching.entry import EXAMPLE, TherapistEntry

EXAMPLE_ID: Final = "0190163d-8694-739b-aea5-966c26f8ad91"


class KeptTherapist(TherapistEntry):
    """An entry as it is kept. `version` is what `If-Match` takes; `places_taken` counts offers open or
    accepted."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": EXAMPLE_ID, "version": 3, "places_taken": 1, **EXAMPLE}]}
    )

    id: UUID
    version: int
    places_taken: int
    languages: list[str]  # an entry of long ago may hold what is refused today


class Therapists(BaseModel):
    """`next` asks for the following page, as `after`; null at the end."""

    therapists: list[KeptTherapist]
    next: UUID | None


class ImportFault(BaseModel):
    column: str
    what: str
    code: str


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


class ImportedAreas(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"changed": 12, "unchanged": 0, "rejected": []}]}
    )

    changed: int
    unchanged: int
    rejected: list[RejectedLine]
