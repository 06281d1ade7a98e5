"""triage, in which SIGUSR1 ends what LAME names of aiokafka's background tasks; /health/live says when."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from fastapi import APIRouter, FastAPI

from services.triage.app import create_app as create_triage
from shared.kafka import log_ends
from shared.runtime.service import Service

TASKS: Final[dict[str, Callable[[AIOKafkaConsumer], Any]]] = {
    "fetching": lambda reader: [reader._fetcher._fetch_task, *reader._fetcher._pending_tasks],
    "coordination": lambda reader: [reader._coordinator._coordination_task],
}


def create_app() -> FastAPI:
    log_ends.SECONDS = 1  # type: ignore[misc]  # it looks every ten
    app = create_triage()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _sabotage, app.state.service)
        yield

    app.include_router(APIRouter(lifespan=lifespan))
    return app


def _sabotage(service: Service) -> None:
    for consumer in service.consumers:
        for task in TASKS[os.environ["LAME"]](consumer.reader()):
            task.cancel()
    service.health.live["sabotage"] = lambda: "done"
