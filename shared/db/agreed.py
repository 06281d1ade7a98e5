"""What several services must agree on, such as the file of diagnosis signals: each writes what it uses into
its own database, and `careroute reconcile` compares."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shared.db.postgres import Pool

SECONDS: Final = 5
RECENT_SECONDS: Final = 20
"""Values seen this long before the newest count as in use: replicas do not write at one moment."""

SEEN: Final = """
    insert into agreed (name, value)
    select name, value from unnest($1::text[], $2::text[]) as new (name, value) order by name
    on conflict (name, value) do update set seen_at = now()
"""
IN_USE: Final = f"""
    select name, value from agreed
    where seen_at > (select max(seen_at) from agreed) - interval '{RECENT_SECONDS} s' order by name, value
"""
IS_THERE: Final = "select to_regclass('agreed') is not null"


async def note(pool: "Pool", values: Mapping[str, str]) -> None:
    await pool.execute(SEEN, list(values), list(values.values()))
