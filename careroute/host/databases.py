"""One database and one role for each service: a role enters its own database and no other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import asyncpg

from careroute.local.environment import SERVICES, database_variable
from shared.db.migrate import OWN_TABLES, migrate
from shared.db.postgres import open_pool

PROJECT: Final = Path(__file__).parents[2]

CLOSED: Final = ("revoke connect on database %I from public", "revoke create on database %I from public")


async def prepare(admin_url: str, variables: Mapping[str, str]) -> list[str]:
    """Makes what is missing, sets the passwords, runs the migrations; returns the names of those it ran."""
    admin = await asyncpg.connect(admin_url, timeout=10)
    try:
        for service in SERVICES:
            await _role_and_database(admin, service, variables[database_variable(service)])
        await _close_to_others(admin)
    finally:
        await admin.close()
    return [name for service in SERVICES for name in await _migrate(service, variables)]


async def _role_and_database(admin: "asyncpg.Connection[asyncpg.Record]", service: str, url: str) -> None:
    parts = urlsplit(url)
    role, database = unquote(parts.username or ""), parts.path.removeprefix("/")
    if not await admin.fetchval("select true from pg_roles where rolname = $1", role):
        await _run(admin, "create role %I login", role)
    await _run(admin, "alter role %I password %L", role, unquote(parts.password or ""))
    if not await admin.fetchval("select true from pg_database where datname = $1", database):
        await _run(admin, "create database %I owner %I", database, role)


async def _close_to_others(admin: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Postgres lets everybody into every database unless told otherwise."""
    for row in await admin.fetch("select datname from pg_database where datallowconn"):
        for statement in CLOSED:
            await _run(admin, statement, row["datname"])


async def _run(admin: "asyncpg.Connection[asyncpg.Record]", statement: str, *names: str) -> None:
    """Utility statements take no parameters; `format` quotes."""
    quoted = ", ".join(f"${number}::text" for number in range(2, len(names) + 2))
    await admin.execute(await admin.fetchval(f"select format($1, {quoted})", statement, *names))


async def _migrate(service: str, variables: Mapping[str, str]) -> list[str]:
    pool = await open_pool(variables[database_variable(service)], size=1)
    try:
        return await migrate(pool, OWN_TABLES, PROJECT / "services" / service / "db" / "migrations")
    finally:
        await pool.close()
