"""Recipients: kept by coordinators and ops."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response
from pydantic import TypeAdapter

from services.notify.api import network_terms, responses
from services.notify.api.requests import Audience, RecipientForm
from services.notify.db import recipients
from services.notify.db.sealing import Sealer
from services.notify.handlers import recipients as commands
from shared.db.postgres import Pool, transaction
from shared.network import NOTHING_CHECKED, Network
from shared.vocabulary import Code
from shared.web.auth import Caller, Role, allow
from shared.web.openapi import problems
from shared.web.paging import PageQuery
from shared.web.problems import Fault, Problem, not_found

Keeper = Annotated[Caller, Depends(allow(Role.COORDINATOR, Role.OPS))]

PLACE: Final = TypeAdapter(tuple[str])
"""Of a cursor: the id of the last recipient shown."""


def routes(
    pool: Callable[[], Pool],
    wake: Callable[[], None],
    sealer: Sealer,
    *,
    require_https: bool,
    waits: timedelta,
    network: Network = NOTHING_CHECKED,
) -> APIRouter:
    """`waits`: a notice that found nobody is sent to a recipient who comes within this time."""
    router = APIRouter(prefix="/v1/recipients", tags=["recipients"])

    @router.put(
        "/{recipient_id}",
        summary="Add or change a recipient",
        response_model_exclude_none=True,
        responses=problems(),
    )
    async def put(
        recipient_id: Code, form: RecipientForm, response: Response, caller: Keeper
    ) -> responses.Recipient:
        """A recipient is a code for whoever watches its channels. Secrets are never shown again."""
        if require_https:
            _only_https(form)
        command = network_terms.recipient_form(form, network).command(recipient_id)
        async with transaction(pool()) as connection:
            result = await commands.handle(connection, command, sealer=sealer, waits=waits)
        wake()
        response.status_code = 201 if result.is_new else 200
        return responses.recipient(result.stored, result.made)

    @router.get(
        "/{recipient_id}",
        summary="One recipient",
        response_model_exclude_none=True,
        responses=problems(404),
    )
    async def get(recipient_id: Code, caller: Keeper) -> responses.Recipient:
        async with transaction(pool()) as connection:
            stored = await recipients.find(connection, recipient_id)
        if stored is None:
            raise not_found("recipient")
        return responses.recipient(stored)

    @router.get("", summary="Recipients, by id", responses=problems())
    async def page(caller: Keeper, page: PageQuery, audience: Audience | None = None) -> responses.Recipients:
        place = page.place(PLACE)
        async with transaction(pool()) as connection:
            rows = await recipients.page(
                connection, audience=audience, after=place[0] if place else None, limit=page.limit + 1
            )
        shown, next_cursor = page.cut(rows, lambda row: (row.id,))
        return responses.Recipients(
            recipients=[responses.recipient(one) for one in shown], next_cursor=next_cursor
        )

    return router


def _only_https(form: RecipientForm) -> None:
    faults = [
        Fault(f"/channels/{n}/url", "This network sends to https:// addresses only.", "not_https")
        for n, channel in enumerate(form.channels)
        if not channel.url.lower().startswith("https://")
    ]
    if faults:
        raise Problem(
            422, "invalid", "Nothing was taken. Every problem is listed in `errors`.", faults=faults
        )
