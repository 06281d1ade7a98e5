"""SQL for referrals as heard of, and for notices."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.notify.domain.batch import Notice
from services.notify.domain.call_state import CLINICIAN, PSYCHIATRIST, Held, Known, Open
from services.notify.domain.refusals import UnknownNotice
from services.notify.domain.stored_notices import StoredNotice
from shared.db.postgres import Connection, Record
from shared.vocabulary import Lane, Urgency

MEET: Final = """
    insert into referral (id) select id from unnest($1::uuid[]) as id order by id on conflict do nothing
"""

KNOWN: Final = "select * from referral where id = any($1::uuid[]) order by id for update"

ALERTS: Final = """
    select notice.id, notice.referral_id, notice.audience, notice.urgency, alert.acknowledged_by
    from notice join alert on alert.notice_id = notice.id
    where notice.referral_id = any($1::uuid[])
      and (alert.acknowledged_at is null or alert.settled_at is null)
    order by notice.id
"""

REMEMBER: Final = """
    update referral
    set decision = heard.decision, urgency = heard.urgency, told = heard.told, over = heard.over,
        terms = string_to_array(heard.terms, ' '),
        psychiatrist_told = heard.psychiatrist_told, primary_care_told = heard.primary_care_told,
        psychiatrist_revision = heard.psychiatrist_revision, clinician_revision = heard.clinician_revision
    from unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[],
                $8::text[], $9::integer[], $10::integer[])
         as heard (id, decision, urgency, told, over, terms, psychiatrist_told, primary_care_told,
                   psychiatrist_revision, clinician_revision)
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
    ) as new ({COLUMNS})
"""

REWORD: Final = """
    update notice set text = new.text from unnest($1::uuid[], $2::text[]) as new (id, text)
    where notice.id = new.id
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
    "awaiting_outcome": "outcome_due_at is not null and settled_at is null",
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
    open_, held = await _alerts(connection, ids)
    return {
        row["id"]: Known(
            decision=row["decision"],
            urgency=_urgency(row["urgency"]),
            open=frozenset(open_[row["id"]]),
            held=frozenset(held[row["id"]]),
            referrer_notified=_urgency(row["told"]),
            over=row["over"],
            terms=frozenset(row["terms"]),
            psychiatrist_notified=_urgency(row["psychiatrist_told"]),
            primary_care_notified=row["primary_care_told"],
            called_at={
                PSYCHIATRIST: row["psychiatrist_revision"],
                CLINICIAN: row["clinician_revision"],
            },
        )
        for row in rows
    }


async def _alerts(
    connection: Connection, referrals: Collection[UUID]
) -> tuple[Mapping[UUID, set[Open]], Mapping[UUID, set[Held]]]:
    """The alerts of these referrals that nobody has acknowledged, and those that somebody holds."""
    open_: dict[UUID, set[Open]] = defaultdict(set)
    held: dict[UUID, set[Held]] = defaultdict(set)
    for row in await connection.fetch(ALERTS, list(referrals)):
        audience, urgency = row["audience"], Urgency(row["urgency"])
        if row["acknowledged_by"] is None:
            open_[row["referral_id"]].add(Open(audience, urgency, row["id"]))
        else:
            held[row["referral_id"]].add(Held(audience, urgency, row["acknowledged_by"]))
    return open_, held


async def remember(connection: Connection, heard: Mapping[UUID, Known]) -> None:
    if not heard:
        return
    await connection.execute(
        REMEMBER,
        list(heard),
        [known.decision for known in heard.values()],
        [known.urgency for known in heard.values()],
        [known.referrer_notified for known in heard.values()],
        [known.over for known in heard.values()],
        [" ".join(sorted(known.terms)) for known in heard.values()],
        [known.psychiatrist_notified for known in heard.values()],
        [known.primary_care_notified for known in heard.values()],
        [known.called_at.get(PSYCHIATRIST, 0) for known in heard.values()],
        [known.called_at.get(CLINICIAN, 0) for known in heard.values()],
    )


async def insert(connection: Connection, notices: Sequence[Notice]) -> None:
    """Each event notifies each audience once."""
    if notices:
        names = [name.strip() for name in COLUMNS.split(",")]
        columns = [[getattr(notice, name) for notice in notices] for name in names]
        await connection.execute(INSERT, *columns)


async def reword(connection: Connection, notices: Sequence[Notice]) -> None:
    """What is still to be sent is true as of now."""
    newest = {notice.id: notice.text for notice in notices}
    if newest:
        await connection.execute(REWORD, list(newest), list(newest.values()))


async def unaddressed(connection: Connection, audience: str, *, since: datetime) -> list[Notice]:
    """What waits for a recipient of this audience."""
    return [from_row(row) for row in await connection.fetch(UNADDRESSED, audience, since)]


async def addressed(connection: Connection, notices: Sequence[UUID]) -> None:
    await connection.execute(ADDRESSED, list(notices))


async def load(connection: Connection, notice_id: UUID) -> StoredNotice:
    """As it stands by now. Raises `UnknownNotice`."""
    row = await connection.fetchrow(ONE, notice_id)
    if row is None:
        raise UnknownNotice
    return _stored(row)


async def page(
    connection: Connection, *, state: str | None, referral_id: UUID | None, before: UUID | None, limit: int
) -> list[StoredNotice]:
    """Newest first, those older than `before`."""
    sql = LIST.format(state=STATES[state] if state else "true")
    return [_stored(row) for row in await connection.fetch(sql, referral_id, before, limit)]


def _stored(row: Record) -> StoredNotice:
    same = [field.name for field in fields(StoredNotice) if field.name != "notice"]
    return StoredNotice(notice=from_row(row), **{name: row[name] for name in same})


def from_row(row: Record) -> Notice:
    values: dict[str, Any] = {name.strip(): row[name.strip()] for name in COLUMNS.split(",")}
    return Notice(**values | {"lane": Lane(values["lane"]), "urgency": _urgency(values["urgency"])})


def _urgency(code: str | None) -> Urgency | None:
    return Urgency(code) if code else None
