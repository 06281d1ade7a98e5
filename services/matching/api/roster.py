"""The roster by HTTP, one entry at a time."""

from collections.abc import Callable
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Response
from pydantic import TypeAdapter

from services.matching.api.network_entry import checked_in
from services.matching.api.roster_responses import KeptTherapist, Therapists, kept_therapist
from services.matching.api.therapist_models import CodeWord, TherapistEntry
from services.matching.db import therapists
from services.matching.domain.roster_changes import differs
from services.matching.domain.therapist_entry import StoredTherapist
from services.matching.handlers import roster_updates
from shared.db.postgres import Pool, transaction
from shared.ids import now
from shared.network import NOTHING_CHECKED, Network
from shared.web.auth import Caller, Role, allow
from shared.web.openapi import problems
from shared.web.paging import PageQuery
from shared.web.problems import Fault, Problem, not_found

Reader = Annotated[Caller, Depends(allow(Role.COORDINATOR, Role.CLINICIAN, Role.ONCALL, Role.OPS))]
Editor = Annotated[Caller, Depends(allow(Role.COORDINATOR))]

PLACE: Final[TypeAdapter[tuple[UUID]]] = TypeAdapter(tuple[UUID])


def routes(
    *, pool: Callable[[], Pool], wake: Callable[[], None], network: Network = NOTHING_CHECKED
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
        _: Editor,
        if_match: Annotated[
            str | None, Header(description="The version you read, to replace an entry; `*` for any.")
        ] = None,
    ) -> KeptTherapist:
        stated = checked_in(network, entry).stated()
        async with transaction(pool()) as connection:
            known = (await therapists.load_to_change(connection, [therapist_id])).get(therapist_id)
            if differs(stated, known):
                _check_version(if_match, known)
            changes = await roster_updates.update(connection, {therapist_id: stated}, now=now())
            row = (await therapists.load(connection, [therapist_id]))[therapist_id]
        wake()
        response.status_code = 201 if changes.created else 200
        response.headers["ETag"] = f'"{row.version}"'
        return kept_therapist(row)

    @router.get("/therapists", summary="The roster, by id", responses=problems())
    async def roster(
        _: Reader, page: PageQuery, region: CodeWord | None = None, active: bool | None = None
    ) -> Therapists:
        (after,) = page.place(PLACE) or (None,)
        region = region and network.canonical("regions", region)
        async with transaction(pool()) as connection:
            rows = await therapists.page(
                connection, after=after, region=region, active=active, limit=page.limit + 1
            )
        shown, next_cursor = page.cut(rows, lambda row: (row.id,))
        return Therapists(therapists=[kept_therapist(row) for row in shown], next_cursor=next_cursor)

    @router.get("/therapists/{therapist_id}", summary="One entry", responses=problems(404))
    async def therapist(therapist_id: UUID, response: Response, _: Reader) -> KeptTherapist:
        async with transaction(pool()) as connection:
            row = (await therapists.load(connection, [therapist_id])).get(therapist_id)
        if row is None:
            raise not_found("therapist")
        response.headers["ETag"] = f'"{row.version}"'
        return kept_therapist(row)

    return router


def _check_version(if_match: str | None, known: StoredTherapist | None) -> None:
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
