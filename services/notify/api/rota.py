"""Who is on call: kept by coordinators and ops, read by those who are called."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.notify.api import network_terms, responses
from services.notify.api.requests import RotaForm
from services.notify.db import recipients
from services.notify.domain.refusals import NotForTheRota
from services.notify.handlers import rota as commands
from shared.db.postgres import Pool, transaction
from shared.ids import now as present
from shared.moments import StrictMoment
from shared.network import NOTHING_CHECKED, Network
from shared.vocabulary import Code
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
        with _mapped(form):
            async with transaction(pool()) as connection:
                directory = await commands.handle(connection, region, form.duties(region), now=now)
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


@contextmanager
def _mapped(form: RotaForm) -> Iterator[None]:
    try:
        yield
    except NotForTheRota as refusal:
        faults = [
            Fault(where, "There is no such recipient: put it first.", "unknown_recipient")
            if recipient in refusal.unknown
            else Fault(where, "Only psychiatrists and clinicians are on call.", "wrong_audience")
            for where, recipient in form.places()
            if recipient in refusal.unknown | refusal.wrong_audience
        ]
        raise Problem(
            422, "invalid", "Nothing was taken. Every problem is listed in `errors`.", faults=faults
        ) from None
