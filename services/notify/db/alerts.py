"""SQL for alerts on their ladders."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notify.db.notices import COLUMNS, from_row
from services.notify.domain.batch import Climber, Notice, Reviewed
from services.notify.domain.ladder import Alert, Pace, Telling
from shared.db.postgres import Connection, Record
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

TELLINGS: Final = """
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

_ANSWERED: Final = """
    returning notice.id, notice.about, notice.audience, notice.referral_id, notice.revision, notice.clinic,
              notice.region, alert.acknowledged_by, alert.taken_over,
              (select recipient from delivery where delivery.notice_id = notice.id
               order by recipient = alert.acknowledged_by desc, first_at desc limit 1) as recipient
"""

ACKNOWLEDGE: Final = f"""
    update alert
    set acknowledged_at = $3, acknowledged_by = $2, taken_over = $5, settled_at = null,
        outcome_due_at = case when notice.id = $1 then $6::timestamptz end
    from notice
    where notice.id = alert.notice_id and alert.acknowledged_at is null and notice.id in (
        select told.id from notice told, notice this
        where this.id = $1 and (told.id = this.id or (
              told.is_alert and told.referral_id = this.referral_id and told.audience = this.audience
              and told.created_at <= this.created_at
              and array_position($4::text[], told.urgency) >= array_position($4::text[], this.urgency))))
    {_ANSWERED}
"""

SUPERSEDED: Final = """
    update alert set settled_at = $2 from notice old, notice this
    where this.id = $1 and old.id = alert.notice_id and old.id <> this.id
      and alert.acknowledged_at is not null and alert.settled_at is null
      and old.referral_id = this.referral_id and old.audience = this.audience
      and old.created_at <= this.created_at
      and array_position($3::text[], old.urgency) >= array_position($3::text[], this.urgency)
"""

REVIEWED: Final = f"""
    update alert set acknowledged_at = $4, acknowledged_by = decided.by, settled_at = $4
    from notice, unnest($1::uuid[], $2::integer[], $3::text[]) as decided (referral_id, decision, by)
    where notice.id = alert.notice_id and alert.acknowledged_at is null and notice.audience = 'clinician'
      and notice.referral_id = decided.referral_id and notice.decision <= decided.decision
    {_ANSWERED}
"""

REVIEW_DONE: Final = """
    update alert set settled_at = $3
    from notice, unnest($1::uuid[], $2::integer[]) as decided (referral_id, decision)
    where notice.id = alert.notice_id and alert.acknowledged_at is not null and alert.settled_at is null
      and notice.audience = 'clinician'
      and notice.referral_id = decided.referral_id and notice.decision <= decided.decision
"""

OUTCOME: Final = """
    update alert set outcome = $2, outcome_by = $3, outcome_at = $4, settled_at = $4
    where notice_id = $1 and acknowledged_at is not null and outcome is null
    returning notice_id
"""

ALL_SETTLED: Final = """
    update alert set settled_at = $2 from notice old, notice this
    where this.id = $1 and old.id = alert.notice_id and old.referral_id = this.referral_id
      and old.audience = this.audience and alert.acknowledged_at is not null and alert.settled_at is null
"""

MISSED: Final = """
    update alert set outcome = 'missed', outcome_at = $1, settled_at = $1
    where notice_id in (
        select notice_id from alert
        where outcome_due_at is not null and settled_at is null and outcome_due_at <= $1
        order by outcome_due_at limit $2 for update skip locked)
    returning notice_id
"""

ACKNOWLEDGED: Final = """
    select notice.*, alert.acknowledged_by from notice join alert on alert.notice_id = notice.id
    where notice.id = any($1::uuid[]) order by notice.id
"""

OTHERS: Final = """
    select distinct on (notice.referral_id, notice.audience) notice.*, alert.acknowledged_at,
           array(select distinct recipient from delivery where delivery.notice_id = notice.id) as told
    from notice join alert on alert.notice_id = notice.id
    where notice.referral_id = any($1::uuid[])
      and (alert.acknowledged_at is null or alert.settled_at is null)
    order by notice.referral_id, notice.audience, alert.acknowledged_at is null desc, notice.id desc
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
    return await _climbers(connection, await connection.fetch(DUE, lane, now, limit))


async def open_climbers(connection: Connection, notices: Sequence[UUID]) -> dict[UUID, Climber]:
    """Those of these alerts that nobody has acknowledged, locked."""
    if not notices:
        return {}
    climbers = await _climbers(connection, await connection.fetch(OPEN, list(notices)))
    return {climber.notice.id: climber for climber in climbers}


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
    connection: Connection,
    notice_id: UUID,
    *,
    by: str,
    urgencies: Sequence[str],
    now: datetime,
    taken_over: str | None = None,
    outcome_due_at: datetime | None = None,
) -> list[Answered]:
    """This alert, and earlier ones of the same referral to the same audience that are no more urgent."""
    rows = await connection.fetch(
        ACKNOWLEDGE, notice_id, by, now, list(urgencies), taken_over, outcome_due_at
    )
    if rows:
        await connection.execute(SUPERSEDED, notice_id, now, list(urgencies))
    return await _end(connection, rows)


async def reviewed(connection: Connection, reviews: Sequence[Reviewed], *, now: datetime) -> list[Answered]:
    """A clinician's decision answers what clinicians were asked up to then."""
    if not reviews:
        return []
    referrals = [review.referral_id for review in reviews]
    decisions = [review.decision for review in reviews]
    rows = await connection.fetch(REVIEWED, referrals, decisions, [review.by for review in reviews], now)
    await connection.execute(REVIEW_DONE, referrals, decisions, now)
    return await _end(connection, rows)


async def record_outcome(
    connection: Connection, notice_id: UUID, *, outcome: str, by: str, now: datetime
) -> bool:
    """Of an acknowledged alert, once; nothing more is expected then of whoever acknowledged."""
    recorded = await connection.fetchrow(OUTCOME, notice_id, outcome, by, now)
    if recorded:
        await connection.execute(ALL_SETTLED, notice_id, now)
    return recorded is not None


async def take_missed(connection: Connection, *, now: datetime, limit: int) -> list[tuple[Notice, str]]:
    """Acknowledged crises past the clock of their outcome, each taken once; with who acknowledged them."""
    ids = [row["notice_id"] for row in await connection.fetch(MISSED, now, limit)]
    rows = await connection.fetch(ACKNOWLEDGED, ids) if ids else []
    return [(from_row(row), row["acknowledged_by"]) for row in rows]


async def others(connection: Connection, referrals: Collection[UUID]) -> list[tuple[Notice, bool, list[str]]]:
    """The newest alert of each audience that still expects something of somebody: whether it is open, who was
    told of it."""
    rows = await connection.fetch(OTHERS, list(referrals))
    return [(from_row(row), row["acknowledged_at"] is None, row["told"]) for row in rows]


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


async def _climbers(connection: Connection, rows: Sequence[Record]) -> list[Climber]:
    ids = [row["notice_id"] for row in rows]
    tellings = await _tellings(connection, ids)
    alarms = await _alarms(connection, ids)
    parts = await _parts(connection, [row["referral_id"] for row in rows])
    return [
        _climber(row, tellings[row["notice_id"]], alarms[row["notice_id"]], parts[row["referral_id"]])
        for row in rows
    ]


def _climber(
    row: Record, tellings: Sequence[Telling], alarms: Sequence[Notice], parts: Sequence[Record]
) -> Climber:
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
        acknowledged=_acknowledged(notice, parts),
        next_step_at=row["next_step_at"],
    )
