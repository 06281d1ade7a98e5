"""SQL for alerts on their ladders."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notify.ladder import Alert, Pace, Telling
from services.notify.notice_store import COLUMNS, from_row
from services.notify.plan import Climber, Notice, Reviewed
from shared.events import Lane
from shared.postgres import Connection, Record

DUE: Final = """
    select * from alert join notice on notice.id = alert.notice_id
    where alert.lane = $1 and alert.acknowledged_at is null and alert.next_step_at <= $2
    order by alert.next_step_at limit $3
    for update of alert skip locked
"""

TELLINGS: Final = """
    select distinct on (notice_id, recipient, channel)
           notice_id, recipient, channel, first_at, failing or state = 'undeliverable' as failed
    from delivery where notice_id = any($1::uuid[])
    order by notice_id, recipient, channel, first_at desc
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

_ANSWERED: Final = """
    returning notice.id, notice.about, notice.audience, notice.referral_id, notice.revision, notice.clinic,
              notice.region, alert.acknowledged_by,
              (select recipient from delivery where delivery.notice_id = notice.id
               order by recipient = alert.acknowledged_by desc, first_at desc limit 1) as recipient
"""

ACKNOWLEDGE: Final = f"""
    update alert set acknowledged_at = $3, acknowledged_by = $2 from notice
    where notice.id = alert.notice_id and alert.acknowledged_at is null and notice.id in (
        select told.id from notice told, notice this
        where this.id = $1 and (told.id = this.id or (
              told.is_alert and told.referral_id = this.referral_id and told.audience = this.audience
              and told.created_at <= this.created_at
              and array_position($4::text[], told.urgency) >= array_position($4::text[], this.urgency))))
    {_ANSWERED}
"""

REVIEWED: Final = f"""
    update alert set acknowledged_at = $4, acknowledged_by = decided.by
    from notice, unnest($1::uuid[], $2::integer[], $3::text[]) as decided (referral_id, decision, by)
    where notice.id = alert.notice_id and alert.acknowledged_at is null and notice.audience = 'clinician'
      and notice.referral_id = decided.referral_id and notice.decision <= decided.decision
    {_ANSWERED}
"""

END: Final = """
    update delivery set state = 'ended'
    where state || '' = 'waiting' and notice_id in (
        select id from notice where id = any($1::uuid[]) or answers = any($1::uuid[]))
"""

OPEN_COUNT: Final = """
    select lane, count(*) as open, count(*) filter (where alarms > 0 or alarm_by <= now()) as unanswered
    from alert where acknowledged_at is null group by lane
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """An alert that is acknowledged from now on, and whose delivery it was."""

    row: Record

    @property
    def recipient(self) -> str:
        return str(self.row["recipient"] or self.row["acknowledged_by"])


async def take_due(connection: Connection, lane: Lane, *, now: datetime, limit: int) -> list[Climber]:
    """Alerts whose next step has come, locked; those that another replica holds are left to it."""
    rows = await connection.fetch(DUE, lane, now, limit)
    ids = [row["notice_id"] for row in rows]
    tellings = await _tellings(connection, ids)
    alarms = await _alarms(connection, ids)
    return [_climber(row, tellings[row["notice_id"]], alarms[row["notice_id"]]) for row in rows]


async def put(connection: Connection, climbers: Sequence[Climber]) -> None:
    if climbers:
        await connection.execute(
            PUT,
            [c.notice.id for c in climbers],
            [c.notice.lane for c in climbers],
            [c.alert.pace.step for c in climbers],
            [c.alert.alarm_by for c in climbers],
            [c.steps for c in climbers],
            [c.alarms for c in climbers],
            [c.alert.alarmed_at for c in climbers],
            [c.next_step_at for c in climbers],
        )


async def look_again(connection: Connection, notices: Collection[UUID], *, now: datetime) -> None:
    """Something has changed for these alerts: their ladders are looked at again."""
    if notices:
        await connection.execute(LOOK_AGAIN, list(notices), now)


async def look_again_in(
    connection: Connection, regions: Collection[str], *, audience: str | None = None, now: datetime
) -> None:
    """Who could answer has changed in these regions; none means all."""
    await connection.execute(LOOK_AGAIN_IN, audience, list(regions), now)


async def acknowledge(
    connection: Connection, notice_id: UUID, *, by: str, urgencies: Sequence[str], now: datetime
) -> list[Answered]:
    """This alert, and earlier ones of the same referral to the same audience that are no more urgent."""
    rows = await connection.fetch(ACKNOWLEDGE, notice_id, by, now, list(urgencies))
    return await _end(connection, rows)


async def reviewed(connection: Connection, reviews: Sequence[Reviewed], *, now: datetime) -> list[Answered]:
    """A clinician's decision answers what clinicians were asked up to then."""
    if not reviews:
        return []
    rows = await connection.fetch(
        REVIEWED,
        [review.referral_id for review in reviews],
        [review.decision for review in reviews],
        [review.by for review in reviews],
        now,
    )
    return await _end(connection, rows)


async def _end(connection: Connection, rows: list[Record]) -> list[Answered]:
    """Nobody else needs to be told."""
    await connection.execute(END, [row["id"] for row in rows])
    return [Answered(row) for row in rows]


async def _tellings(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, list[Telling]]:
    found: dict[UUID, list[Telling]] = defaultdict(list)
    for row in await connection.fetch(TELLINGS, ids):
        told = Telling(row["recipient"], row["channel"], row["first_at"], row["failed"])
        found[row["notice_id"]].append(told)
    return found


async def _alarms(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, list[Notice]]:
    found: dict[UUID, list[Notice]] = defaultdict(list)
    for row in await connection.fetch(ALARMS, ids):
        found[row["answers"]].append(from_row(row))
    return found


def _climber(row: Record, tellings: Sequence[Telling], alarms: Sequence[Notice]) -> Climber:
    notice = from_row(row)
    return Climber(
        notice=notice,
        alert=Alert(
            opened_at=notice.created_at,
            pace=Pace(row["step_length"], row["alarm_by"] - notice.created_at),
            tellings=tuple(tellings),
            alarmed_at=row["alarmed_at"],
        ),
        steps=row["steps"],
        alarms=row["alarms"],
        alarm_notices=tuple(alarms),
        next_step_at=row["next_step_at"],
    )
