"""`careroute rekey`: what older keys sealed is sealed under the newest."""

import base64
import io
from collections.abc import Awaitable, Callable

import pytest
from rich.console import Console

from careroute import rekey
from careroute.local.errors import StackError
from careroute.network import Network
from services.intake.api.request_examples import MINIMAL
from shared.db.postgres import open_pool
from tests.integration.intake.support import KEYS, intake_on

NEWER = "k2:" + base64.b64encode(b"2" * 32).decode()


async def test_every_referral_is_sealed_under_the_first_key(
    database_url: Callable[[str], Awaitable[str]],
) -> None:
    url = await database_url("intake")
    pool = await open_pool(url, size=2)
    async with intake_on(pool) as intake:
        for _ in range(3):
            await intake.submit(MINIMAL)
    variables = {"INTAKE_DATABASE_URL": url, "INTAKE_ENCRYPTION_KEYS": f"{NEWER},{KEYS}"}
    out = Console(file=io.StringIO())
    assert await rekey.run(Network({}, variables, None), out) == 3
    assert await rekey.run(Network({}, variables, None), out) == 0
    assert {row["key_id"] for row in await pool.fetch("select key_id from referral")} == {"k2"}
    await pool.close()


async def test_without_keys_it_says_what_is_missing() -> None:
    with pytest.raises(StackError, match="INTAKE_ENCRYPTION_KEYS"):
        await rekey.run(Network({}, {}, None), Console(file=io.StringIO()))
