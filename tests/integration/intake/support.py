"""Intake on a real database, called over HTTP, without Kafka: what it would send is read from its outbox."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import httpx
import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI

from services.intake.app import create_app
from services.intake.handlers.facts import FOLLOWED, handle
from services.intake.settings import IntakeSettings
from shared.db.postgres import Pool, transaction
from shared.events import READER, AnyFact, ReferralFact
from shared.ids import new_id, now
from shared.web.auth import ALGORITHM, AUDIENCE, Role, Verifier

KEYS = "k1:" + base64.b64encode(b"1" * 32).decode()


@cache
def signing_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


@cache
def token(role: Role, *, clinic: str | None = None, subject: str = "somebody") -> str:
    moment = datetime.now(UTC)
    claims: dict[str, Any] = {"aud": AUDIENCE, "sub": subject, "role": role, "iat": moment}
    claims |= {"exp": moment + timedelta(hours=1)} | ({"clinic": clinic} if clinic else {})
    return jwt.encode(claims, signing_key(), algorithm=ALGORITHM, headers={"kid": "test"})


def bearer(role: Role = Role.CLINIC, *, clinic: str = "clinic-1") -> dict[str, str]:
    own = clinic if role is Role.CLINIC else None
    return {"Authorization": f"Bearer {token(role, clinic=own)}"}


def intake_app(pool: Pool, **settings: Any) -> FastAPI:
    values = {"encryption_keys": KEYS, "heartbeat_seconds": 0.2, **settings}
    app = create_app(IntakeSettings(**values))
    app.state.verifier = Verifier({"test": signing_key().public_key()})
    app.state.context.service._pool = pool  # the lifespan, which would open it, waits for Kafka too
    return app


@dataclass
class Intake:
    """The service, its database, and a client of it."""

    app: FastAPI
    pool: Pool
    http: httpx.AsyncClient

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: Role = Role.CLINIC,
        clinic: str = "clinic-1",
        **headers: str,
    ) -> httpx.Response:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, path, json=body, headers=bearer(role, clinic=clinic) | said)

    async def submit(self, body: Any, **more: Any) -> dict[str, Any]:
        answer = await self.call("POST", "/v1/referrals", body, **more)
        assert answer.status_code == 202, answer.text
        taken: dict[str, Any] = answer.json()
        return taken

    async def read(self, referral_id: str) -> dict[str, Any]:
        answer = await self.call("GET", f"/v1/referrals/{referral_id}")
        assert answer.status_code == 200, answer.text
        seen: dict[str, Any] = answer.json()
        return seen

    async def said(self) -> list[AnyFact]:
        """Everything announced, in order."""
        rows = await self.pool.fetch("select body from outbox order by position")
        return [READER.validate_json(row["body"]) for row in rows]

    async def count(self, table: str) -> int:
        return int(await self.pool.fetchval(f"select count(*) from {table}"))

    async def hear(self, *facts: AnyFact) -> None:
        """As if they had come over Kafka in one batch for each topic."""
        for topic, group in FOLLOWED.items():
            mine = [fact for fact in facts if fact.topic == topic]
            if mine:
                async with transaction(self.pool) as connection:
                    await handle(connection, mine, group=group)


@asynccontextmanager
async def intake_on(pool: Pool, **settings: Any) -> AsyncIterator[Intake]:
    app = intake_app(pool, **settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://intake") as http:
        yield Intake(app, pool, http)


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """A real web server in front of the app, and the loop that feeds event streams; its address."""
    config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    looking = asyncio.create_task(_look(app))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        await serving


async def _look(app: FastAPI) -> None:
    while True:
        await app.state.context.watch.look()
        await asyncio.sleep(0.02)


def about(taken: dict[str, Any], *, revision: int = 1, clinic: str = "clinic-1") -> dict[str, Any]:
    """What every fact of another service says about a referral."""
    return {
        "event_id": new_id(),
        "occurred_at": now(),
        "region": "north",
        "referral_id": UUID(taken["id"]),
        "revision": revision,
        "clinic": clinic,
    }


def ndjson(*lines: Any) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def only(facts: list[AnyFact]) -> ReferralFact:
    (fact,) = facts
    assert isinstance(fact, ReferralFact)
    return fact
