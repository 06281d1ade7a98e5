"""The API of matching on the database of a stage, and calls of it."""

from collections.abc import Awaitable, Callable

import httpx
from fastapi import FastAPI

from careroute.local.keys import Keys
from services.matching.api import explanation, offers, roster, roster_imports, waitlist
from shared.web import problems
from shared.web.auth import Verifier
from tests.integration.matching.stage import Stage

Call = Callable[..., Awaitable[httpx.Response]]

IMPORT_LIMIT = 20_000


def api(stage: Stage, keys: Keys) -> FastAPI:
    app = FastAPI()
    app.state.verifier = Verifier.from_file(keys.public_keys)
    for router in (
        roster.routes(pool=lambda: stage.pool, wake=lambda: None, network=stage.network),
        roster_imports.routes(
            pool=lambda: stage.pool, wake=lambda: None, import_limit=IMPORT_LIMIT, network=stage.network
        ),
        offers.routes(pool=lambda: stage.pool, wake=lambda: None),
        waitlist.routes(pool=lambda: stage.pool, network=stage.network),
        explanation.routes(pool=lambda: stage.pool),
    ):
        app.include_router(router)
    problems.install(app)
    return app


def codes(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(error["where"], error["code"]) for error in answer.json()["errors"]]
