"""GET /v1/referrals/{id}/events: server-sent events, from wherever the reader left off."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from services.intake.api import openapi, response_examples
from services.intake.api.context import ApiContext
from services.intake.api.dependencies import Reader, visible
from services.intake.api.event_watch import News
from services.intake.api.status_mapping import stands_now
from services.intake.db import referrals
from services.intake.domain.status import FINAL
from services.intake.domain.timeline import entry
from shared.db.postgres import transaction

LastEventId = Annotated[
    int,
    Header(
        alias="Last-Event-ID",
        ge=0,
        le=2**62,
        description="The `id` of the last event that was seen; the stream goes on behind it.",
        examples=[17],
    ),
]


def routes(context: ApiContext) -> APIRouter:
    router = APIRouter(prefix="/v1/referrals", tags=["referrals"])

    @router.get(
        "/{referral_id}/events",
        summary="Follow a referral",
        response_class=StreamingResponse,
        responses={
            **openapi.answer(
                200,
                "One event for each fact as it becomes known, and after them `state`. Quiet times hold "
                "comments. The stream ends with the event `end` when the state is final.",
                {"type": "string"},
                response_examples.EVENTS,
                media=openapi.EVENT_STREAM,
            ),
            **openapi.problems(404),
        },
    )
    async def events(referral_id: UUID, caller: Reader, last_event_id: LastEventId = 0) -> StreamingResponse:
        """Everything known so far, then everything new. Take it up again with `Last-Event-ID`."""
        context.watch.check()
        async with transaction(context.pool) as connection:
            visible(await referrals.read(connection, referral_id), caller)
        return StreamingResponse(
            follow(context, referral_id, after=last_event_id),
            media_type=openapi.EVENT_STREAM,
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return router


async def follow(context: ApiContext, referral_id: UUID, *, after: int) -> AsyncIterator[bytes]:
    """Waits without a database connection."""
    until = time.monotonic() + context.settings.stream_seconds
    with context.watch.listen(referral_id, after=after) as listener:
        yield b"retry: 2000\n\n"
        while time.monotonic() < until:
            try:
                news = await asyncio.wait_for(listener.news.get(), context.settings.heartbeat_seconds)
            except TimeoutError:
                yield b": still here\n\n"
                continue
            yield told(news)
            if news.state in FINAL:
                yield b"event: end\ndata: {}\n\n"
                return


def told(news: News) -> bytes:
    """Its facts, each under its position, and then where the referral stands."""
    lines = [_event(fact["type"], entry(fact), position) for position, fact in news.facts]
    return "".join([*lines, _event("state", stands_now(news.stands))]).encode()


def _event(name: str, data: Mapping[str, Any], position: int | None = None) -> str:
    number = f"id: {position}\n" if position is not None else ""
    return f"{number}event: {name}\ndata: {json.dumps(data)}\n\n"
