"""What an operator's tools ask of every service: is it well, and what does it count?"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.db.postgres import Pool
from shared.kafka.consumer import Consumer
from shared.runtime import measurements
from shared.telemetry.health import Health


def routes(
    health: Health,
    consumers: Sequence[Consumer],
    pool: Callable[[], Pool | None],
    *,
    agreed: Mapping[str, str],
) -> APIRouter:
    """`agreed`: what this service decides by and others must too, for whoever asks whether it is ready."""
    router = APIRouter(tags=["operations"])

    @router.get("/health/live", summary="Does the work turn?")
    async def live() -> JSONResponse:
        return _health(health.not_live())

    @router.get("/health/ready", summary="Can it be given work?")
    async def ready() -> JSONResponse:
        return _health(health.not_ready(), agreed)

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        measurements.note_health(health)
        measurements.note_consumers(consumers)
        measurements.note_pool(pool())
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def _health(found: dict[str, str], agreed: Mapping[str, str] | None = None) -> JSONResponse:
    body: dict[str, Any] = {"status": "unhealthy", "problems": found} if found else {"status": "ok"}
    if agreed:
        body["agreed"] = dict(agreed)
    return JSONResponse(body, status_code=503 if found else 200)
