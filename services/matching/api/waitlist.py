"""The waitlist by HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field, TypeAdapter

from services.matching.api.therapist_models import CodeWord
from services.matching.api.waitlist_models import Waitlist, waiting_view
from services.matching.db import waitlist as waitlist_store
from shared.db.postgres import Pool, transaction
from shared.moments import StrictMoment
from shared.network import NOTHING_CHECKED, Network
from shared.web.auth import Caller, Role, allow
from shared.web.openapi import problems
from shared.web.paging import PageQuery

Reader = Annotated[Caller, Depends(allow(Role.COORDINATOR, Role.CLINICIAN, Role.CLINIC, Role.OPS))]
ReasonQuery = Annotated[str, Query(pattern="^(no_place|no_eligible_therapist|roster_empty)$")]

Level = Annotated[int, Field(ge=0, le=6)]
Since = Annotated[
    StrictMoment, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))
]
PLACE: Final[TypeAdapter[tuple[int, datetime, UUID]]] = TypeAdapter(tuple[Level, Since, UUID])


def routes(*, pool: Callable[[], Pool], network: Network = NOTHING_CHECKED) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["waitlist"])

    @router.get("/waitlist", summary="Who waits, and why; a clinic sees its own", responses=problems())
    async def waitlist(
        caller: Reader, page: PageQuery, region: CodeWord | None = None, reason: ReasonQuery | None = None
    ) -> Waitlist:
        after = page.place(PLACE)
        region = region and network.canonical("regions", region)
        async with transaction(pool()) as connection:
            rows = await waitlist_store.page(
                connection,
                clinic=caller.clinic,
                region=region,
                reason=reason,
                after=after,
                limit=page.limit + 1,
            )
        shown, next_cursor = page.cut(rows, lambda row: (row.level, row.waiting_since, row.id))
        return Waitlist(referrals=[waiting_view(row) for row in shown], next_cursor=next_cursor)

    return router
