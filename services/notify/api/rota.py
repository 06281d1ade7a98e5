"""Who is on call: kept by coordinators and ops, read by those who are called."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.notify import network_terms
from services.notify.api import responses
from services.notify.api.requests import RotaForm
from services.notify.db import alerts, recipients
from services.notify.domain.call_state import CLINICIAN, PSYCHIATRIST
from shared.db.postgres import Connection, Pool, transaction
from shared.ids import now as present
from shared.moments import StrictMoment
from shared.network import NOTHING_CHECKED, Network
from shared.vocabulary import NETWORK_ROTA, Code
from shared.web.auth import Caller, Role, allow
from shared.web.openapi import problems
from shared.web.problems import Fault, Problem

Keeper = Annotated[Caller, Depends(allow(Role.COORDINATOR, Role.OPS))]
Reader = Annotated[Caller, Depends(allow(Role.COORDINATOR, Role.OPS, Role.CLINICIAN, Role.ONCALL))]


def routes(
    pool: Callable[[], Pool], wake: Callable[[], None], network: Network = NOTHING_CHECKED
) -> APIRouter:
    router = APIRouter(prefix="/v1/rota", tags=["rota"])

    @router.put("/{region}", summary="Replace a region's rota", responses=problems())
    async def put(region: Code, form: RotaForm, caller: Keeper) -> responses.Rota:
        """An empty rota means that everyone who covers the region is on call. The rota of `network` is called
        for referrals whose region nobody knows, and where a region has nobody on call."""
        now = present()
        region = network_terms.rota_region(region, network)
        async with transaction(pool()) as connection:
            await _refuse_unknown(connection, form)
            await recipients.put_rota(connection, region, form.duties(region))
            changed = [] if region == NETWORK_ROTA else [region]
            await alerts.look_again_in(connection, changed, now=now)
            directory = await recipients.directory(connection, regions=[region])
        wake()
        return responses.rota(region, directory, now)

    @router.get("/{region}", summary="A region's rota, and who is on call", responses=problems())
    async def get(
        region: Code,
        caller: Reader,
        at: Annotated[StrictMoment | None, Query(description="Now, if it is left out.")] = None,
    ) -> responses.Rota:
        region = network.canonical("regions", region)
        async with transaction(pool()) as connection:
            directory = await recipients.directory(connection, regions=[region])
        return responses.rota(region, directory, at or present())

    return router


async def _refuse_unknown(connection: Connection, form: RotaForm) -> None:
    places = form.places()
    known = await recipients.existing(connection, {recipient for _, recipient in places})
    faults = [
        Fault(where, "There is no such recipient: put it first.", "unknown_recipient")
        if recipient not in known
        else Fault(where, "Only psychiatrists and clinicians are on call.", "wrong_audience")
        for where, recipient in places
        if known.get(recipient) not in (PSYCHIATRIST, CLINICIAN)
    ]
    if faults:
        raise Problem(
            422, "invalid", "Nothing was taken. Every problem is listed in `errors`.", faults=faults
        )
