"""The limit of accept.py: a FastAPI route with one asyncpg insert, and nothing else."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
from fastapi import FastAPI, Request

from shared.ids import new_id


def create_app() -> FastAPI:
    """For uvicorn, in intake's environment."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(os.environ["INTAKE_DATABASE_URL"], min_size=1, max_size=12) as pool:
            await pool.execute(
                "create table if not exists bare_accept (id uuid primary key, body jsonb not null)"
            )
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/v1/referrals", status_code=202)
    async def submit(request: Request) -> dict[str, UUID]:
        found = new_id()
        body = (await request.body()).decode()
        await request.app.state.pool.execute(
            "insert into bare_accept (id, body) values ($1, $2)", found, body
        )
        return {"id": found}

    return app
