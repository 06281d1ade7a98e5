"""SQL for referrals as heard of, and for notices."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.notify.paging import Known, Open
from services.notify.plan import Notice
from shared.events import Lane
from shared.postgres import Connection, Record
from shared.vocabulary import Urgency

MEET: Final = """
    insert into referral (id) select id from unnest($1::uuid[]) as id order by id on conflict do nothing
"""

KNOWN: Final = "select * from referral where id = any($1::uuid[]) order by id for update"

OPEN: Final = """
    select notice.referral_id, notice.audience, notice.urgency
    from notice join alert on alert.notice_id = notice.id
    where notice.referral_id = any($1::uuid[]) and alert.acknowledged_at is null
"""

REMEMBER: Final = """
    update referral
    set decision = heard.decision, urgency = heard.urgency, told = heard.told, over = heard.over,
        terms = string_to_array(heard.terms, ' ')
    from unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::boolean[], $6::text[])
         as heard (id, decision, urgency, told, over, terms)
    where referral.id = heard.id
"""

COLUMNS: Final = """
    id, event_id, audience, about, referral_id, revision, decision, clinic, region, therapist, urgency,
    lane, title, text, respond_by, occurred_at, created_at, is_alert, answers, unaddressed, traceparent
"""

INSERT: Final = f"""
    insert into notice ({COLUMNS})
    select {COLUMNS} from unnest(
        $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::integer[], $7::integer[], $8::text[],
        $9::text[], $10::uuid[], $11::text[], $12::text[], $13::text[], $14::text[], $15::timestamptz[],
        $16::timestamptz[], $17::timestamptz[], $18::boolean[], $19::uuid[], $20::boolean[],
        $21::text[]
    ) as told ({COLUMNS})
    on conflict (event_id, audience) do nothing
    returning id
"""

UNADDRESSED: Final = f"""
    select {COLUMNS} from notice
    where unaddressed and audience = $1 and created_at > $2 and not exists (
        select from alert where alert.notice_id = notice.answers and alert.acknowledged_at is not null)
    order by id limit 10000
    for update
"""

ADDRESSED: Final = "update notice set unaddressed = false where id = any($1::uuid[])"

ONE: Final = "select * from notice_seen where id = $1"

LIST: Final = """
    select * from notice_seen
    where {state} and ($1::uuid is null or referral_id = $1) and ($2::uuid is null or id < $2)
    order by id desc limit $3
"""

STATES: Final = {
    "open": "is_alert and acknowledged_at is null",
    "acknowledged": "acknowledged_at is not null",
    "no_recipient": "unaddressed",
    "undeliverable": "id in (select notice_id from delivery where state = 'undeliverable')",
}


async def known(connection: Connection, referrals: Collection[UUID]) -> dict[UUID, Known]:
    """What was heard of these before; they stay locked until the transaction ends."""
    ids = sorted(set(referrals))
    if not ids:
        return {}
    await connection.execute(MEET, ids)
    rows = await connection.fetch(KNOWN, ids)
    unanswered = await open_alerts(connection, ids)
    return {
        row["id"]: Known(
            decision=row["decision"],
            urgency=_urgency(row["urgency"]),
            open=unanswered[row["id"]],
            told=_urgency(row["told"]),
            over=row["over"],
            terms=frozenset(row["terms"]),
        )
        for row in rows
    }


async def open_alerts(connection: Connection, referrals: Collection[UUID]) -> dict[UUID, frozenset[Open]]:
    """The alerts of these referrals that nobody has acknowledged."""
    found: dict[UUID, set[Open]] = defaultdict(set)
    for row in await connection.fetch(OPEN, list(referrals)):
        found[row["referral_id"]].add(Open(row["audience"], Urgency(row["urgency"])))
    return {referral: frozenset(found.get(referral, ())) for referral in referrals}


async def remember(connection: Connection, heard: Mapping[UUID, Known]) -> None:
    if not heard:
        return
    await connection.execute(
        REMEMBER,
        list(heard),
        [known.decision for known in heard.values()],
        [known.urgency for known in heard.values()],
        [known.told for known in heard.values()],
        [known.over for known in heard.values()],
        [" ".join(sorted(known.terms)) for known in heard.values()],
    )


async def insert(connection: Connection, notices: Sequence[Notice]) -> set[UUID]:
    """Each fact tells each audience once; returns the ids of those not told before."""
    if not notices:
        return set()
    fields = [name.strip() for name in COLUMNS.split(",")]
    columns = [[getattr(notice, name) for notice in notices] for name in fields]
    return {row["id"] for row in await connection.fetch(INSERT, *columns)}


async def unaddressed(connection: Connection, audience: str, *, since: datetime) -> list[Notice]:
    """What waits for a recipient of this audience."""
    return [from_row(row) for row in await connection.fetch(UNADDRESSED, audience, since)]


async def addressed(connection: Connection, notices: Sequence[Notice]) -> None:
    await connection.execute(ADDRESSED, [notice.id for notice in notices])


async def one(connection: Connection, notice_id: UUID) -> Record | None:
    return await connection.fetchrow(ONE, notice_id)


async def page(
    connection: Connection, *, state: str | None, referral_id: UUID | None, after: UUID | None, limit: int
) -> list[Record]:
    """Newest first, those older than `after`."""
    sql = LIST.format(state=STATES[state] if state else "true")
    return await connection.fetch(sql, referral_id, after, limit)


def from_row(row: Record) -> Notice:
    values: dict[str, Any] = {name.strip(): row[name.strip()] for name in COLUMNS.split(",")}
    return Notice(**values | {"lane": Lane(values["lane"]), "urgency": _urgency(values["urgency"])})


def _urgency(code: str | None) -> Urgency | None:
    return Urgency(code) if code else None
