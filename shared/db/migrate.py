"""Migrations: `.sql` files, run once each, in name order, by one replica at a time."""

import asyncio
import hashlib
from pathlib import Path
from typing import Final

from shared.db.postgres import Connection, Pool, transaction

OWN_TABLES: Final = Path(__file__).parent / "migrations"
"""Outbox, inbox and what else every service's database has."""


async def one_at_a_time(connection: Connection) -> None:
    """Until the transaction ends, no other replica migrates or puts stored data in order."""
    await connection.execute("select pg_advisory_xact_lock(hashtext('careroute:migrate'))")


async def migrate(pool: Pool, *folders: Path) -> list[str]:
    """Run the `.sql` files not yet run, in name order, folder by folder, under a lock; return their names.

    A folder is `<owner>/db/migrations`; the names of files that ran are kept as `<owner>/<file>`.
    """
    async with transaction(pool) as connection:
        await one_at_a_time(connection)
        await connection.execute(
            "create table if not exists migration ("
            "name text primary key, digest text not null, run_at timestamptz not null default now())"
        )
        rows = await connection.fetch("select name, digest from migration")
        done = {row["name"]: row["digest"] for row in rows}
        return [file for folder in folders for file in await _run(connection, folder, done)]


def _read(folder: Path) -> list[tuple[str, str]]:
    return [(file.name, file.read_text()) for file in sorted(folder.glob("*.sql"))]


async def _run(connection: Connection, folder: Path, done: dict[str, str]) -> list[str]:
    ran = []
    for file, sql in await asyncio.to_thread(_read, folder):
        name = f"{folder.parents[1].name}/{file}"
        digest = hashlib.sha256(sql.encode()).hexdigest()
        if name not in done:
            await connection.execute(sql)
            await connection.execute("insert into migration (name, digest) values ($1, $2)", name, digest)
            ran.append(name)
        elif done[name] != digest:
            raise RuntimeError(f"migration {name} was changed after it ran; add a new file instead")
    return ran
