"""A database with matching on it, and its API."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from careroute.local.keys import Keys
from careroute.tokens import sign
from shared.web.auth import Role
from tests.integration.matching.api import Call, api
from tests.integration.matching.stage import Stage
from tests.support import NewDatabase


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    keys = Keys(Path(tmp_path_factory.mktemp("network")))
    keys.ensure()
    return keys


@pytest.fixture
async def stage(database: NewDatabase) -> Stage:
    return Stage(await database("matching"))


@pytest.fixture
def call(stage: Stage, keys: Keys) -> Call:
    app = api(stage, keys)

    async def call(
        method: str,
        path: str,
        body: Any = None,
        *,
        role: Role = Role.COORDINATOR,
        clinic: str | None = None,
        csv: str | bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        token = sign(
            keys.signing_key, role=role, subject="someone", clinic=clinic, now=datetime.now(UTC), hours=1
        )
        sent = {"Authorization": f"Bearer {token}"} | (
            {"Content-Type": "text/csv"} if csv is not None else {}
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://matching") as client:
            content = csv if csv is None or isinstance(csv, bytes) else csv.encode()
            return await client.request(
                method, path, json=body, content=content, headers=sent | (headers or {})
            )

    return call
