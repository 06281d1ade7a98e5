"""A service: declared in its `app.py`, run in the lifespan of the FastAPI app that `app()` returns."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI
from prometheus_client import disable_created_metrics

from shared.db.postgres import Pool
from shared.runtime import lifecycle, operations
from shared.runtime.declaration import Declaration
from shared.runtime.lifecycle import Lifecycle
from shared.settings import ServiceSettings
from shared.telemetry import exporters, logs
from shared.web import problems
from shared.web.auth import Verifier
from shared.web.edge import Edge

BODY_LIMIT: Final = 1_048_576


class Service(Declaration):
    def __init__(self, name: str, settings: ServiceSettings, *, migrations: Path) -> None:
        logs.configure(name, settings.log_level)
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the series, and say little
        self._last_spans = exporters.record(name, settings.otel_traces_exporter)
        super().__init__(name, settings, migrations=migrations)

    def app(
        self,
        router: APIRouter,
        *,
        title: str,
        description: str,
        streams: frozenset[str] = frozenset(),
    ) -> FastAPI:
        """The web application; `streams` are paths whose bodies have no size limit."""
        running = Lifecycle(self, last_spans=self._last_spans)
        app = FastAPI(title=title, description=description, version="1", lifespan=running.lifespan)
        app.state.service = self
        app.state.verifier = Verifier.from_file(self.settings.public_keys, network=self.network)
        app.include_router(router)
        app.include_router(
            operations.routes(self.health, self.consumers, lambda: self.pool_if_open, agreed=self.agreed)
        )
        problems.install(app)
        app.add_middleware(Edge, body_limit=BODY_LIMIT, unlimited=streams)
        return app

    async def run_at_start(self, pool: Pool) -> None:
        await lifecycle.run_at_start(self, pool)
