"""Who is told: kept by coordinators and ops."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from services.notify import network_terms
from services.notify.api import responses
from services.notify.api.requests import Audience, RecipientForm
from services.notify.db import alerts, deliveries, notices, recipients
from services.notify.db.recipients import Channel
from services.notify.db.sealing import Sealer
from services.notify.domain.batch import Plan
from services.notify.domain.directory import Directory, Recipient
from services.notify.domain.notices import addressed
from shared.db.postgres import Connection, Pool, transaction
from shared.ids import now as present
from shared.network import NOTHING_CHECKED, Network
from shared.vocabulary import NETWORK_ROTA, Code
from shared.web.auth import Caller, Role, allow
from shared.web.openapi import problems
from shared.web.problems import Fault, Problem, not_found

Keeper = Annotated[Caller, Depends(allow(Role.COORDINATOR, Role.OPS))]


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
        form = network_terms.recipient_form(form, network)
        recipient, now = form.recipient(recipient_id), present()
        async with transaction(pool()) as connection:
            is_new = await recipients.put(connection, recipient, active=form.active, now=now)
            made = await _put_channels(connection, recipient_id, form, sealer, now)
            if form.active:
                await _tell_what_waits(connection, recipient, since=now - waits, now=now)
            regions = [*form.regions, NETWORK_ROTA] if form.regions else []
            await alerts.look_again_in(connection, regions, now=now)
            row = await recipients.one(connection, recipient_id)
        wake()
        response.status_code = 201 if is_new else 200
        assert row is not None, "it was written in the same transaction"
        return responses.recipient(row, made)

    @router.get(
        "/{recipient_id}",
        summary="One recipient",
        response_model_exclude_none=True,
        responses=problems(404),
    )
    async def get(recipient_id: Code, caller: Keeper) -> responses.Recipient:
        async with transaction(pool()) as connection:
            row = await recipients.one(connection, recipient_id)
        if row is None:
            raise not_found("recipient")
        return responses.recipient(row)

    @router.get("", summary="Recipients, by id", responses=problems())
    async def page(
        caller: Keeper,
        audience: Audience | None = None,
        after: Annotated[Code | None, Query(description="`next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> responses.Recipients:
        async with transaction(pool()) as connection:
            rows = await recipients.page(connection, audience=audience, after=after, limit=limit)
        items = [responses.recipient(row) for row in rows]
        return responses.Recipients(items=items, next=items[-1].id if len(items) == limit else None)

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


async def _put_channels(
    connection: Connection, recipient_id: str, form: RecipientForm, sealer: Sealer, now: datetime
) -> dict[str, str]:
    """A given secret counts; else the address keeps the one it has; else one is made, and returned."""
    known = await recipients.secrets(connection, recipient_id)
    made: dict[str, str] = {}
    channels = []
    for channel in form.channels:
        if channel.secret is not None:
            sealed = sealer.seal(channel.secret.get_secret_value())
        elif channel.url in known:
            sealed = known[channel.url]
        else:
            made[channel.url] = secrets.token_urlsafe(32)
            sealed = sealer.seal(made[channel.url])
        channels.append(Channel(channel.kind, channel.url, channel.line, sealed))
    await recipients.put_channels(connection, recipient_id, channels, now=now)
    return made


async def _tell_what_waits(
    connection: Connection, recipient: Recipient, *, since: datetime, now: datetime
) -> None:
    """Notices that found no recipient when they were made."""
    directory = Directory([recipient])
    waiting = [
        notice
        for notice in await notices.unaddressed(connection, recipient.audience, since=since)
        if addressed(
            directory, notice.audience, region=notice.region, clinic=notice.clinic, therapist=notice.therapist
        )
    ]
    plan = Plan()
    for notice in waiting:
        plan.tell(notice, [recipient], now=now)
    await deliveries.insert(connection, plan.deliveries)
    await notices.addressed(connection, waiting)
