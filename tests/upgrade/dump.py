"""The dump of an earlier version, restored into new databases."""

import gzip
import json
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from careroute.local import SERVICES
from shared.db.migrate import OWN_TABLES, migrate
from shared.db.postgres import open_pool
from tests import databases
from tests.conftest import ROOT

FOLDER: Final = Path(__file__).parent / "dump-4b300e0"
REFERRALS: Final[dict[str, UUID]] = {
    name: UUID(id) for name, id in json.loads((FOLDER / "referrals.json").read_text()).items()
}
KEYS: Final[dict[str, str]] = json.loads((FOLDER / "keys.json").read_text())
NAMES: Final = {id: name for name, id in REFERRALS.items()}


async def restore(admin_url: str) -> dict[str, str]:
    """The names of the new databases, by service."""
    made = {service: await databases.create(admin_url, service) for service in SERVICES}
    for service, name in made.items():
        connection = await asyncpg.connect(databases.at(admin_url, name))
        try:
            await connection.execute(gzip.decompress((FOLDER / f"{service}.sql.gz").read_bytes()).decode())
        finally:
            await connection.close()
    return made


async def upgrade(url: str, service: str) -> list[str]:
    """Runs this version's migrations; returns the names of those that were new."""
    pool = await open_pool(url, size=2)
    try:
        return await migrate(pool, OWN_TABLES, ROOT / "services" / service / "db" / "migrations")
    finally:
        await pool.close()
