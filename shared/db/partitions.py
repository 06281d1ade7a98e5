"""The outbox is partitioned by day: coming days are made ahead, days past retention are dropped."""

from contextlib import suppress
from typing import Final

import asyncpg

from shared.db.postgres import Connection

PARTITION_AHEAD: Final = """
    select format('create table if not exists outbox_%s partition of outbox for values from (%L) to (%L)',
                  to_char(day, 'YYYYMMDD'), day, day + 1)
    from generate_series((now() at time zone 'utc')::date, (now() at time zone 'utc')::date + 7,
                         interval '1 day') as series (at), date(at) as day
"""

PARTITIONS: Final = """
    select child.relname as name, to_date(right(child.relname, 8), 'YYYYMMDD') as day
    from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = 'outbox'::regclass and child.relname ~ '^outbox_[0-9]{8}$'
"""


async def keep_partitions(connection: Connection, *, days: int) -> list[str]:
    """Make the coming week's partitions, drop those past `days` with all sent; return the dropped.

    One at a time: `create table if not exists` fails where another replica is making the same table.
    """
    await connection.execute("select pg_advisory_xact_lock(hashtext('careroute:partitions'))")
    for (statement,) in await connection.fetch(PARTITION_AHEAD):
        with suppress(asyncpg.CheckViolationError):  # rows of that day already went to the default partition
            async with connection.transaction():
                await connection.execute(statement)
    today = await connection.fetchval("select (now() at time zone 'utc')::date")
    dropped = []
    for row in await connection.fetch(PARTITIONS):
        name = row["name"]
        if (today - row["day"]).days > days and not await connection.fetchval(
            f"select exists (select from {name} where sent_at is null)"
        ):
            await connection.execute(f"drop table {name}")
            dropped.append(name)
    return dropped
