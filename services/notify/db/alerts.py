"""SQL for alerts on their ladders."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notify.db.notices import COLUMNS, from_row
from services.notify.domain.batch import EscalatingAlert, Notice
from services.notify.domain.ladder import Alert, Notified, Pace
from shared.db.postgres import Connection, Pool, Record
from shared.vocabulary import Lane

DUE: Final = """
    select * from alert join notice on notice.id = alert.notice_id
    where alert.lane = $1 and alert.acknowledged_at is null and alert.next_step_at <= $2
    order by alert.next_step_at limit $3
    for update of alert skip locked
"""

OPEN: Final = """
    select * from alert join notice on notice.id = alert.notice_id
    where alert.notice_id = any($1::uuid[]) and alert.acknowledged_at is null
    order by alert.notice_id
    for update of alert
"""

NOTIFIED: Final = """
    select distinct on (notice_id, recipient, channel)
           notice_id, recipient, channel, first_at, failing or state = 'undeliverable' as failed
    from delivery where notice_id = any($1::uuid[])
    order by notice_id, recipient, channel, first_at desc
"""

PARTS: Final = """
    select distinct on (notice.referral_id, notice.audience)
           notice.referral_id, notice.audience, notice.revision, alert.acknowledged_at
    from notice join alert on alert.notice_id = notice.id
    where notice.referral_id = any($1::uuid[])
    order by notice.referral_id, notice.audience, notice.id desc
"""

ALARMS: Final = f"select {COLUMNS} from notice where answers = any($1::uuid[]) order by id"

PUT: Final = """
    insert into alert (notice_id, lane, step_length, alarm_by, steps, alarms, alarmed_at, next_step_at)
    select * from unnest($1::uuid[], $2::text[], $3::interval[], $4::timestamptz[], $5::integer[],
                         $6::integer[], $7::timestamptz[], $8::timestamptz[])
    on conflict (notice_id) do update
    set steps = excluded.steps, alarms = excluded.alarms, alarmed_at = excluded.alarmed_at,
        next_step_at = excluded.next_step_at
"""

LOOK_AGAIN: Final = """
    update alert set next_step_at = $2
    where notice_id = any($1::uuid[]) and acknowledged_at is null and next_step_at > $2
"""

LOOK_AGAIN_IN: Final = """
    update alert set next_step_at = $3 from notice
    where notice.id = alert.notice_id and alert.acknowledged_at is null and alert.next_step_at > $3
      and ($1::text is null or notice.audience = $1)
      and (cardinality($2::text[]) = 0 or notice.region = any($2))
"""

AWAITING_OUTCOME: Final = "select count(*) from crisis_without_outcome"

OPEN_COUNT: Final = """
    select lane, count(*) as open, count(*) filter (where alarms > 0 or alarm_by <= now()) as unanswered
    from alert where acknowledged_at is null group by lane
"""


@dataclass(frozen=True, slots=True)
class OpenCount:
    """Alerts of a lane that nobody has acknowledged, and those of them past their ladder."""

    open: int = 0
    unanswered: int = 0


async def open_counts(pool: Pool) -> dict[Lane, OpenCount]:
    counted = {row["lane"]: OpenCount(row["open"], row["unanswered"]) for row in await pool.fetch(OPEN_COUNT)}
    return {lane: counted.get(lane, OpenCount()) for lane in Lane}


async def count_awaiting_outcome(pool: Pool) -> int:
    count: int = await pool.fetchval(AWAITING_OUTCOME)
    return count


async def claim_due(
    connection: Connection, lane: Lane, *, now: datetime, limit: int
) -> list[EscalatingAlert]:
    """Alerts whose next step has come, locked; those that another replica holds are left to it."""
    return await _alerts(connection, await connection.fetch(DUE, lane, now, limit))


async def locked(connection: Connection, notices: Sequence[UUID]) -> dict[UUID, EscalatingAlert]:
    """Those of these alerts that nobody has acknowledged, locked."""
    if not notices:
        return {}
    alerts = await _alerts(connection, await connection.fetch(OPEN, list(notices)))
    return {alert.notice.id: alert for alert in alerts}


async def put(connection: Connection, alerts: Sequence[EscalatingAlert]) -> None:
    if alerts:
        await connection.execute(
            PUT,
            [one.notice.id for one in alerts],
            [one.notice.lane for one in alerts],
            [one.alert.pace.step for one in alerts],
            [one.alert.alarm_by for one in alerts],
            [one.steps for one in alerts],
            [one.alarms for one in alerts],
            [one.alert.alarmed_at for one in alerts],
            [one.next_step_at for one in alerts],
        )


async def look_again(connection: Connection, notices: Collection[UUID], *, now: datetime) -> None:
    """Something has changed for these alerts: their next step is due now."""
    if notices:
        await connection.execute(LOOK_AGAIN, list(notices), now)


async def look_again_in(
    connection: Connection, regions: Collection[str], *, audience: str | None = None, now: datetime
) -> None:
    """Who could respond has changed in these regions; none means all."""
    await connection.execute(LOOK_AGAIN_IN, audience, list(regions), now)


async def _notified(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, list[Notified]]:
    found: dict[UUID, list[Notified]] = defaultdict(list)
    for row in await connection.fetch(NOTIFIED, ids):
        notified = Notified(row["recipient"], row["channel"], row["first_at"], row["failed"])
        found[row["notice_id"]].append(notified)
    return found


async def _alarms(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, list[Notice]]:
    found: dict[UUID, list[Notice]] = defaultdict(list)
    for row in await connection.fetch(ALARMS, ids):
        found[row["answers"]].append(from_row(row))
    return found


async def _parts(connection: Connection, referrals: Sequence[UUID]) -> dict[UUID, list[Record]]:
    found: dict[UUID, list[Record]] = defaultdict(list)
    for row in await connection.fetch(PARTS, referrals):
        found[row["referral_id"]].append(row)
    return found


def _acknowledged(notice: Notice, parts: Sequence[Record]) -> frozenset[str]:
    """The other audiences that have acknowledged what they were called for then or since."""
    return frozenset(
        part["audience"]
        for part in parts
        if part["audience"] != notice.audience
        and part["acknowledged_at"] is not None
        and (part["revision"] == notice.revision or part["acknowledged_at"] >= notice.created_at)
    )


async def _alerts(connection: Connection, rows: Sequence[Record]) -> list[EscalatingAlert]:
    ids = [row["notice_id"] for row in rows]
    notified = await _notified(connection, ids)
    alarms = await _alarms(connection, ids)
    parts = await _parts(connection, [row["referral_id"] for row in rows])
    return [
        _escalating(row, notified[row["notice_id"]], alarms[row["notice_id"]], parts[row["referral_id"]])
        for row in rows
    ]


def _escalating(
    row: Record, notified: Sequence[Notified], alarms: Sequence[Notice], parts: Sequence[Record]
) -> EscalatingAlert:
    notice = from_row(row)
    return EscalatingAlert(
        notice=notice,
        alert=Alert(
            opened_at=notice.created_at,
            pace=Pace(row["step_length"], row["alarm_by"] - notice.created_at),
            notified=tuple(notified),
            alarmed_at=row["alarmed_at"],
        ),
        steps=row["steps"],
        alarms=row["alarms"],
        alarm_notices=tuple(alarms),
        acknowledged=_acknowledged(notice, parts),
        next_step_at=row["next_step_at"],
    )
