"""Databases as they are after many referrals, made in minutes: each row that a run left, copied by SQL.

A copy has ids and times of its own. An id is made from the one it copies and the number of the copy, so that
the four databases still agree, and it is as ordered by time as ours are. What was sent, claimed and told is
copied with the rest; who the clients are stays sealed for the row it was copied from and does not open.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from careroute.local import Stack

TABLES: Final[Mapping[str, Sequence[str]]] = {
    "intake": ("referral", "timeline", "idempotency", "outbox", "inbox"),
    "triage": ("referral", "decision", "outbox", "inbox"),
    "matching": ("referral", "offer", "outbox", "inbox"),
    "notify": ("referral", "notice", "delivery", "outbox", "inbox"),
}
DAYS_KEPT: Final = {"outbox": 12, "inbox": 33, "idempotency": 28}
"""What is older the services drop, by their default settings two days later."""
DAYS_OPEN: Final = 30
CLOSED: Final = {
    ("intake", "referral", "state"): "'closed'",
    ("triage", "referral", "taken_on"): "true",
    ("matching", "referral", "state"): "'closed'",
    ("matching", "offer", "state"): "'ended'",
    ("notify", "referral", "over"): "true",
}
"""What is older than that is over."""
CHUNK: Final = 20
"""Copies of the whole template in one statement."""
BEGINNING: Final = 70
"""As much of a statement tells it from the others."""

COPIED: Final = """
    create function template.copied(id uuid, copy int, apart interval) returns uuid
    language sql immutable strict parallel safe as $$
        select (lpad(to_hex(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint
                            - (copy * extract(epoch from apart) * 1000)::bigint), 12, '0')
                || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid
        from md5(id::text || copy) as hash
    $$
"""

COLUMNS: Final = """
    select attname as name, format_type(atttypid, null) as type from pg_attribute
    where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attidentity = ''
    order by attnum
"""

ROOM: Final = """
    with room as (
        select id, (select count(*) from offer
                    where therapist_id = therapist.id and state in ('open', 'accepted')) as taken
        from therapist)
    update therapist
    set places_taken = taken, places_total = taken + $1, places_ceiling = taken + $1, version = version + 1,
        entry = jsonb_set(entry, '{places_total}', to_jsonb(taken + $1)), changed = this_change()
    from room where room.id = therapist.id
"""

DAYS: Final = """
    select format('create table if not exists outbox_%s partition of outbox for values from (%L) to (%L)',
                  to_char(day, 'YYYYMMDD'), day, day + 1)
    from generate_series($1::date, $2::date, interval '1 day') as series (at), date(at) as day
"""

KEPT: Final = {
    ("offer", "therapist_id"),
    ("notice", "therapist"),
    ("offer", "expires_at"),
    ("referral", "waiting_since"),
}
"""Ids of what is not copied; and no offer has run out and nobody has waited too long, or matching and triage
would work on old ones first: at 100,000 held, 6.7 webhooks were sent for each new one in the place of 5."""

SAID: Final = "convert_from({0}, 'utf8')"
ABOUT: Final = "(convert_from({0}, 'utf8')::json ->> 'referral_id')"


def admin(stack: Stack, name: str) -> str:
    """To a service's database as the operator, who may leave foreign keys unchecked."""
    return urlunsplit(urlsplit(stack.postgres.admin_url)._replace(path=f"/{name}"))


async def take_template(stack: Stack) -> None:
    """What is in the databases now is what will be copied. Once for a stack, while nobody writes."""
    for name, tables in TABLES.items():
        connection = await asyncpg.connect(admin(stack, name))
        await connection.execute("create schema template")
        await connection.execute(COPIED)
        for table in tables:
            where = "where type <> 'TherapistChanged'" if table == "outbox" else ""
            await connection.execute(f"create table template.{table} as select * from {table} {where}")
        await connection.close()


async def fill(stack: Stack, *, first: int, copies: int, days: float, of: int, room: int) -> None:
    """Copies `first` and on, one after the other back in time, `of` copies spread over so many `days`.
    Each therapist then has `room` places more than are taken."""
    await asyncio.gather(*(_fill_one(stack, name, first, copies, days / of) for name in TABLES))
    connection = await asyncpg.connect(admin(stack, "matching"))
    await connection.execute(ROOM, room)
    await connection.close()


async def _fill_one(stack: Stack, name: str, first: int, copies: int, apart: float) -> None:
    connection = await asyncpg.connect(admin(stack, name))
    await connection.execute("set session_replication_role = replica; set synchronous_commit = off")
    interval = f"{86_400 * apart} seconds"
    await _make_days(connection, _kept("outbox", first + copies, apart) - 1, interval)
    for table in TABLES[name]:
        statement = await _statement(connection, name, table, interval)
        end = _kept(table, first + copies, apart)
        for start in range(first, end, CHUNK):
            await connection.execute(statement, start, min(start + CHUNK, end) - 1, timeout=None)
    await connection.execute("vacuum (analyze)")
    await connection.close()


def _kept(table: str, end: int, apart: float) -> int:
    """The first copy, of those before `end`, that is too old for this table."""
    days = DAYS_KEPT.get(table)
    return end if days is None else min(end, int(days / apart) + 1)


async def _make_days(connection: "asyncpg.Connection[asyncpg.Record]", furthest: int, apart: str) -> None:
    """A partition for each day, as the relay would have made, but for the day the template is from."""
    earliest = await connection.fetchval(
        "select min(day) - ceil($1::int * extract(epoch from $2::text::interval) / 86400)::int "
        "from template.outbox",
        furthest,
        apart,
    )
    before = await connection.fetchval("select min(day) - 1 from template.outbox")
    for (statement,) in await connection.fetch(DAYS, earliest, before):
        await connection.execute(statement)


async def _statement(
    connection: "asyncpg.Connection[asyncpg.Record]", service: str, table: str, apart: str
) -> str:
    columns = [(row["name"], row["type"]) for row in await connection.fetch(COLUMNS, table)]
    names = ", ".join(f'"{name}"' for name, _ in columns)
    values = ", ".join(
        _now_closed(service, table, name, apart) or _value(table, name, type_, apart)
        for name, type_ in columns
    )
    return f"""
        insert into {table} ({names})
        select {values} from generate_series($1::int, $2::int) as copy cross join template.{table}
    """


def _now_closed(service: str, table: str, name: str, apart: str) -> str | None:
    closed = CLOSED.get((service, table, name))
    if closed is None:
        return None
    return f"case when copy * interval '{apart}' > interval '{DAYS_OPEN} days' then {closed} else {name} end"


def _value(table: str, name: str, type_: str, apart: str) -> str:
    """One column of a copy, as SQL."""
    step = f"interval '{apart}'"
    new = f"template.copied({{0}}, copy, {step})"
    match table, name, type_:
        case _ if (table, name) in KEPT:
            return f'"{name}"'
        case (_, _, "uuid"):
            return new.format(f'"{name}"')
        case ("outbox", "day", _):
            return f"((occurred_at - copy * {step}) at time zone 'utc')::date"
        case ("idempotency", "key", _):
            return "key || '-' || copy"
        case (_, _, "timestamp with time zone"):
            return f'"{name}" - copy * {step}'
        case ("timeline" | "decision", "fact", _):
            return f"{_renamed('fact::text', ('referral_id',), new)}::jsonb"
        case ("idempotency", "answer", _):
            return f"convert_to({_renamed(SAID.format('answer'), ('referral_id',), new)}, 'utf8')"
        case ("outbox", "key", _):
            about = ABOUT.format("body")
            return f"replace(key, {about}, {new.format(about + '::uuid')}::text)"
        case ("outbox", "body", _):
            about = ABOUT.format("body")
            said = f"replace({SAID.format('body')}, {about}, {new.format(about + '::uuid')}::text)"
            return f"convert_to({_renamed(said, ('event_id',), new)}, 'utf8')"
    return f'"{name}"'


def _renamed(text: str, ids: Sequence[str], new: str) -> str:
    """The text with these ids of its own row replaced."""
    for name in ids:
        text = f"replace({text}, {name}::text, {new.format(name)}::text)"
    return text


@dataclass(frozen=True)
class Held:
    """Referrals, and bytes of all four databases: the outbox and the inbox are kept for a time only."""

    referrals: int
    outbox: int
    inbox: int
    rest: int

    @property
    def gib(self) -> float:
        return (self.outbox + self.inbox + self.rest) / 2**30


async def held(stack: Stack) -> Held:
    sizes = {"outbox": 0, "inbox": 0, "rest": 0}
    referrals = 0
    for name in TABLES:
        connection = await asyncpg.connect(admin(stack, name))
        for what, size in await connection.fetch(SIZES):
            sizes[what] += size
        if name == "intake":
            referrals = await connection.fetchval("select count(*) from referral")
        await connection.close()
    return Held(referrals, **sizes)


SIZES: Final = """
    select case when relname ~ '^outbox' then 'outbox' when relname = 'inbox' then 'inbox' else 'rest' end,
           sum(pg_total_relation_size(oid))::bigint
    from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' group by 1
"""
PRELOADED: Final = "alter system set shared_preload_libraries = 'pg_stat_statements'"
MEANS: Final = r"""
    select regexp_replace(query, '\s+', ' ', 'g') as query, sum(calls)::bigint as calls,
           sum(total_exec_time) / sum(calls) as mean
    from pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database())
    group by 1
"""


@dataclass(frozen=True)
class Statement:
    """How often it was called, and the mean milliseconds of a call."""

    calls: int
    mean: float


async def count_statements(stack: Stack) -> None:
    """From the next start of Postgres on."""
    connection = await asyncpg.connect(stack.postgres.admin_url)
    await connection.execute(PRELOADED)
    await connection.close()


async def forget_statements(stack: Stack) -> None:
    for name in TABLES:
        connection = await asyncpg.connect(admin(stack, name))
        await connection.execute("create extension if not exists pg_stat_statements")
        await connection.execute("select pg_stat_statements_reset()")
        await connection.close()


async def statements(stack: Stack) -> dict[tuple[str, str], Statement]:
    """By service and the beginning of the statement."""
    found = {}
    for name in TABLES:
        connection = await asyncpg.connect(admin(stack, name))
        for row in await connection.fetch(MEANS):
            found[name, row["query"].strip()[:BEGINNING]] = Statement(row["calls"], row["mean"])
        await connection.close()
    return found
