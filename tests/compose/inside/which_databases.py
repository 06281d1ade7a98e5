"""Run in triage's container: which databases its role may enter. Prints JSON."""

import asyncio
import json
from pathlib import Path

import asyncpg

ALL = ("intake", "triage", "matching", "notify", "postgres", "template1")
URL = Path("/run/secrets/TRIAGE_DATABASE_URL").read_text()


async def main() -> None:
    open_to_it = []
    for name in ALL:
        try:
            connection = await asyncpg.connect(URL.rsplit("/", 1)[0] + "/" + name)
        except asyncpg.InsufficientPrivilegeError:
            continue
        await connection.close()
        open_to_it.append(name)
    print(json.dumps(open_to_it))


asyncio.run(main())
