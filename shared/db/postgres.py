"""Postgres: the pool, transactions, and what a driver's error means for the work in hand."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final

import asyncpg

from shared.errors import CarerouteError, Permanent, Transient
from shared.telemetry.metrics import POOL_WAIT_SECONDS

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection

Record = asyncpg.Record

SERVER_SETTINGS: Final = {"plan_cache_mode": "force_custom_plan"}
"""A plan kept from when a table was empty reads all of it for every row; planning anew costs a fraction."""

TRANSIENT: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a connection says of itself when it is cut in the middle of an answer
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
PERMANENT: Final = (asyncpg.DataError, asyncpg.exceptions.CharacterNotInRepertoireError)


def fate(error: Exception) -> CarerouteError | None:
    """What a driver's error means for the message in hand; None for a bug."""
    if isinstance(error, PERMANENT):
        return Permanent(f"postgres:{type(error).__name__}")
    if isinstance(error, TRANSIENT):
        return Transient(f"postgres:{type(error).__name__}")
    return None


class _Stateless(asyncpg.Connection):
    """Nothing here changes a session of the pool, so none is asked to forget, which is a round trip each."""

    def get_reset_query(self) -> str:
        return ""


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def open_pool(url: str, *, size: int) -> Pool:
    """A pool whose every command has a time limit. Raises `Transient` while Postgres is away."""
    try:
        return await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            timeout=10,
            command_timeout=60,
            init=_prepare,
            connection_class=_Stateless,
            server_settings=SERVER_SETTINGS,
        )
    except TRANSIENT as error:
        raise Transient(f"postgres:{type(error).__name__}") from error


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """One connection, one transaction, committed at the end; the driver's errors become fates."""
    asked = time.monotonic()
    try:
        async with pool.acquire(timeout=30) as connection:
            POOL_WAIT_SECONDS.observe(time.monotonic() - asked)
            async with connection.transaction():
                yield connection
    except CarerouteError:
        raise
    except Exception as error:
        meaning = fate(error)
        if meaning is None:
            raise
        raise meaning from error


async def clock(connection: Connection) -> datetime:
    """The present by the one clock that all replicas share. Asked with rows locked, it puts what is said of
    them in the order in which it happened."""
    at: datetime = await connection.fetchval("select clock_timestamp()")
    return at
