"""The roster by HTTP: one entry at a time, or a whole file."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

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
    KeptTherapist,
    Therapists,
    WarnedLine,
    entry_warnings,
)
from services.matching.api.therapist_models import CodeWord, TherapistEntry
from services.matching.db import therapists as roster_store
from services.matching.db.therapists import Row
from services.matching.handlers import roster_updates
from services.matching.network_terms import entry_in
from shared.db.postgres import Pool, transaction
from shared.ids import now
from shared.network import NOTHING_CHECKED, Network
from shared.web.auth import Caller, Role, allow
from shared.web.openapi import problems
from shared.web.problems import Fault, Problem, not_found

Reader = Annotated[Caller, Depends(allow(Role.COORDINATOR, Role.CLINICIAN, Role.ONCALL, Role.OPS))]
Keeper = Annotated[Caller, Depends(allow(Role.COORDINATOR))]
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

    @router.put(
        "/therapists/{therapist_id}",
        summary="Add a therapist, or replace their entry",
        responses={201: {"model": KeptTherapist}, **problems(400, 412, 413, 428)},
    )
    async def put(
        therapist_id: UUID,
        entry: TherapistEntry,
        response: Response,
        _: Keeper,
        if_match: Annotated[
            str | None, Header(description="The version you read, to replace an entry; `*` for any.")
        ] = None,
    ) -> KeptTherapist:
        entry = _in_network(entry, network)
        async with transaction(pool()) as connection:
            known = (await roster_store.load_to_change(connection, [therapist_id])).get(therapist_id)
            if roster_updates.differs(entry, known):
                _check_version(if_match, known)
            kept = await roster_updates.keep(connection, {therapist_id: entry}, now=now())
            row = (await roster_store.load(connection, [therapist_id]))[therapist_id]
        wake()
        response.status_code = 201 if kept.created else 200
        response.headers["ETag"] = f'"{row.version}"'
        return _view(row)

    @router.get("/therapists", summary="The roster, by id", responses=problems())
    async def therapists(
        _: Reader,
        region: CodeWord | None = None,
        active: bool | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        after: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
    ) -> Therapists:
        region = region and network.canonical("regions", region)
        async with transaction(pool()) as connection:
            rows = await roster_store.page(
                connection, after=after, region=region, active=active, limit=limit + 1
            )
        page = [_view(row) for row in rows[:limit]]
        return Therapists(therapists=page, next=page[-1].id if len(rows) > limit else None)

    @router.get("/therapists/{therapist_id}", summary="One entry", responses=problems(404))
    async def therapist(therapist_id: UUID, response: Response, _: Reader) -> KeptTherapist:
        async with transaction(pool()) as connection:
            row = (await roster_store.load(connection, [therapist_id])).get(therapist_id)
        if row is None:
            raise not_found("therapist")
        response.headers["ETag"] = f'"{row.version}"'
        return _view(row)

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
        entries: dict[UUID, TherapistEntry] = {}
        lines: dict[UUID, int] = {}
        warned: list[WarnedLine] = []
        for found in read_therapists(await _text(request, import_limit), network):
            if isinstance(found, Bad):
                bad.append(found)
            elif found.id in lines:
                bad.append(_twice(found.line, lines[found.id]))
            else:
                entries[found.id], lines[found.id] = found.entry, found.line
                if about := entry_warnings(found.entry.languages):
                    warned.append(WarnedLine(line=found.line, warnings=about))
            if len(entries) == AT_ONCE:
                await keep(entries, counts)
                entries = {}
        await keep(entries, counts)
        return ImportedTherapists.model_validate(summary(bad, counts) | {"warnings": warned})

    async def keep(entries: Mapping[UUID, TherapistEntry], counts: dict[str, int]) -> None:
        if not entries:
            return
        async with transaction(pool()) as connection:
            kept = await roster_updates.keep(connection, entries, now=now())
        wake()
        for name, count in kept.counts.items():
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
            counts = await roster_updates.keep_areas(connection, points)
        wake()
        return ImportedAreas.model_validate(summary(bad, counts))

    return router


def _in_network(entry: TherapistEntry, network: Network) -> TherapistEntry:
    """Raises `Problem` 422 naming every code that the network does not know."""
    named, unknown = entry_in(network, entry)
    if unknown:
        faults = [Fault(f"/{fault.where.replace('.', '/')}", fault.what, fault.code) for fault in unknown]
        detail = "Nothing was taken. Every problem is listed in `errors`."
        raise Problem(422, "invalid", detail, faults=faults)
    return named


def _view(row: Row) -> KeptTherapist:
    return KeptTherapist(
        id=row.id,
        version=row.version,
        places_taken=row.places_taken,
        name=row.name,
        warnings=entry_warnings(row.entry["languages"]),
        **row.entry,
    )


def _check_version(if_match: str | None, known: Row | None) -> None:
    """Raises `Problem` when somebody would overwrite what they have not read."""
    if known is None and if_match in (None, roster_updates.ANY_VERSION):
        return
    current = f'"{known.version}"' if known else "none, since there is no such entry"
    if if_match is None:
        raise Problem(
            428,
            "if_match_missing",
            f"This entry exists. Send the version you read as `If-Match`; it is {current} now.",
            faults=[Fault("If-Match", "Takes the ETag of the entry.", "missing")],
        )
    given = if_match.strip().removeprefix("W/").strip('"')
    if known is None or given not in (roster_updates.ANY_VERSION, str(known.version)):
        raise Problem(
            412,
            "changed_meanwhile",
            f"Somebody changed this entry since you read it; the version is {current} now. Read it again.",
            faults=[Fault("If-Match", f"The version is {current}.", "old_version")],
        )


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
