"""A whole roster, or the centres of areas, by HTTP as CSV."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from services.matching.api.roster_csv import (
    AREA_COLUMNS,
    COLUMNS,
    Bad,
    read_areas,
    read_therapists,
    summary,
)
from services.matching.api.roster_responses import (
    EXAMPLE_ID,
    ImportedAreas,
    ImportedTherapists,
    WarnedLine,
    entry_warnings,
)
from services.matching.domain.therapist_entry import Entry
from services.matching.handlers import roster_updates
from shared.db.postgres import Pool, transaction
from shared.ids import now
from shared.network import NOTHING_CHECKED, Network
from shared.web.auth import Caller, Role, allow
from shared.web.openapi import problems
from shared.web.problems import Fault, Problem

Importer = Annotated[Caller, Depends(allow(Role.COORDINATOR, Role.OPS))]

IMPORTS: Final = frozenset({"/v1/therapists/import", "/v1/areas/import"})
"""Paths whose bodies have a limit of their own."""

AT_ONCE: Final = 500


def _csv_body(columns: tuple[str, ...], example: str) -> dict[str, Any]:
    about = f"CSV, UTF-8. The first line names the columns: {', '.join(columns)}."
    content = {"text/csv": {"schema": {"type": "string", "description": about}, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


THERAPISTS_CSV: Final = _csv_body(
    COLUMNS,
    "id,name,region,languages,payers,modalities,age_groups,settings,places_total\n"
    f"{EXAMPLE_ID},R. Alvarez,otter,en;es,harbor_mutual,cbt;act,adult;older,in_person;telehealth,4\n",
)
AREAS_CSV: Final = _csv_body(AREA_COLUMNS, "area,latitude,longitude\nOT-03,40.1000,-30.7600\n")


def routes(
    *,
    pool: Callable[[], Pool],
    wake: Callable[[], None],
    import_limit: int,
    network: Network = NOTHING_CHECKED,
) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["roster"])

    @router.post(
        "/therapists/import",
        summary="Add and replace many entries from CSV; lines that are wrong are named, the rest are taken",
        openapi_extra=THERAPISTS_CSV,
        responses=problems(413, 415),
    )
    async def import_therapists(request: Request, _: Importer) -> ImportedTherapists:
        """Several values in one cell are separated by `;`. Safe to send again: what is the same stays."""
        counts = {"created": 0, "updated": 0, "unchanged": 0}
        bad: list[Bad] = []
        entries: dict[UUID, Entry] = {}
        lines: dict[UUID, int] = {}
        warned: list[WarnedLine] = []
        for found in read_therapists(await _text(request, import_limit), network):
            if isinstance(found, Bad):
                bad.append(found)
            elif found.id in lines:
                bad.append(_twice(found.line, lines[found.id]))
            else:
                entries[found.id], lines[found.id] = found.entry.stated(), found.line
                if about := entry_warnings(found.entry.languages):
                    warned.append(WarnedLine(line=found.line, warnings=about))
            if len(entries) == AT_ONCE:
                await save(entries, counts)
                entries = {}
        await save(entries, counts)
        return ImportedTherapists.model_validate(summary(bad, counts) | {"warnings": warned})

    async def save(entries: Mapping[UUID, Entry], counts: dict[str, int]) -> None:
        if not entries:
            return
        async with transaction(pool()) as connection:
            changes = await roster_updates.update(connection, entries, now=now())
        wake()
        for name, count in changes.counts.items():
            counts[name] += count

    @router.post(
        "/areas/import",
        summary="Where areas are, from CSV, for distances",
        openapi_extra=AREAS_CSV,
        responses=problems(413, 415),
    )
    async def import_areas(request: Request, _: Importer) -> ImportedAreas:
        found = list(read_areas(await _text(request, import_limit)))
        bad = [line for line in found if isinstance(line, Bad)]
        points = {a.area: (a.latitude, a.longitude) for a in found if not isinstance(a, Bad)}
        async with transaction(pool()) as connection:
            counts = await roster_updates.update_areas(connection, points)
        wake()
        return ImportedAreas.model_validate(summary(bad, counts))

    return router


def _twice(line: int, first: int) -> Bad:
    return Bad(line, (Fault("id", f"The same therapist as in line {first}, which was taken.", "twice"),))


async def _text(request: Request, limit: int) -> str:
    """Raises `Problem` for a body that is too long, not CSV by its type, or not UTF-8."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in ("text/csv", "application/csv"):
        raise Problem(415, "not_csv", "Send the file with `Content-Type: text/csv`. Nothing was taken.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Problem(413, "too_large", f"The file may have at most {limit} bytes. Nothing was taken.")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise Problem(
            422,
            "not_utf8",
            "The file is not UTF-8. Nothing was taken.",
            faults=[Fault(f"line {line}", "Holds bytes that are not UTF-8.", "not_utf8")],
        ) from None
