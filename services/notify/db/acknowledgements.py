"""SQL for what stops an alert: an acknowledgement, a clinician's decision, the outcome of a crisis."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notify.db.notices import from_row
from services.notify.domain.batch import Acknowledged, UnsettledAlert
from services.notify.domain.calling_again import Crisis
from shared.db.postgres import Connection, Record

ACKNOWLEDGE: Final = """
    update alert
    set acknowledged_at = $3, acknowledged_by = $2, taken_over = $5, settled_at = null,
        outcome_due_at = case when notice.id = $1 then $6::timestamptz end
    from notice
    where notice.id = alert.notice_id and alert.acknowledged_at is null and notice.id in (
        select old.id from notice old, notice this
        where this.id = $1 and (old.id = this.id or (
              old.is_alert and old.referral_id = this.referral_id and old.audience = this.audience
              and old.created_at <= this.created_at
              and array_position($4::text[], old.urgency) >= array_position($4::text[], this.urgency))))
    returning notice.*, alert.taken_over,
              (select recipient from delivery where delivery.notice_id = notice.id
               order by recipient = alert.acknowledged_by desc, first_at desc limit 1) as recipient
"""

SUPERSEDED: Final = """
    update alert set settled_at = $2 from notice old, notice this
    where this.id = $1 and old.id = alert.notice_id and old.id <> this.id
      and alert.acknowledged_at is not null and alert.settled_at is null
      and old.referral_id = this.referral_id and old.audience = this.audience
      and old.created_at <= this.created_at
      and array_position($3::text[], old.urgency) >= array_position($3::text[], this.urgency)
"""

REVIEWS: Final = """
    select notice.*, alert.acknowledged_by,
           array(select recipient from delivery where delivery.notice_id = notice.id
                 order by first_at desc) as recipients
    from notice join alert on alert.notice_id = notice.id
    where notice.referral_id = any($1::uuid[]) and notice.audience = 'clinician'
      and (alert.acknowledged_at is null or alert.settled_at is null)
    order by notice.id
    for update of alert
"""

SETTLE: Final = """
    update alert
    set acknowledged_at = coalesce(acknowledged_at, $3),
        acknowledged_by = coalesce(acknowledged_by, decided.by), settled_at = $3
    from unnest($1::uuid[], $2::text[]) as decided (notice_id, by)
    where alert.notice_id = decided.notice_id
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
    select distinct on (notice.referral_id, notice.audience) notice.*, alert.acknowledged_by,
           array(select distinct recipient from delivery where delivery.notice_id = notice.id) as recipients
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


async def acknowledge(
    connection: Connection,
    notice_id: UUID,
    *,
    by: str,
    urgencies: Sequence[str],
    now: datetime,
    new_id: Callable[[], UUID],
    taken_over: str | None = None,
    outcome_due_at: datetime | None = None,
) -> list[Acknowledged]:
    """This alert, and earlier ones of the same referral to the same audience that are no more urgent; none
    if somebody was first."""
    rows = await connection.fetch(
        ACKNOWLEDGE, notice_id, by, now, list(urgencies), taken_over, outcome_due_at
    )
    return [
        Acknowledged(
            id=new_id(),
            notice=from_row(row),
            recipient=row["recipient"] or by,
            by=by,
            taken_over=row["taken_over"],
        )
        for row in rows
    ]


async def supersede(
    connection: Connection, notice_id: UUID, *, urgencies: Sequence[str], now: datetime
) -> None:
    """Nothing more is expected of whoever acknowledged earlier alerts that are no more urgent."""
    await connection.execute(SUPERSEDED, notice_id, now, list(urgencies))


async def reviews(connection: Connection, referrals: Collection[UUID]) -> list[UnsettledAlert]:
    """The unsettled alerts to clinicians about these referrals, locked."""
    if not referrals:
        return []
    return [_unsettled(row) for row in await connection.fetch(REVIEWS, sorted(referrals))]


async def others(connection: Connection, referrals: Collection[UUID]) -> list[UnsettledAlert]:
    """The newest alert of each audience that still expects something of somebody."""
    if not referrals:
        return []
    return [_unsettled(row) for row in await connection.fetch(OTHERS, sorted(referrals))]


async def settle(connection: Connection, decided: Mapping[UUID, str], *, now: datetime) -> None:
    """A clinician's decision answers these alerts."""
    if decided:
        await connection.execute(SETTLE, list(decided), list(decided.values()), now)


async def end(connection: Connection, notices: Collection[UUID]) -> None:
    """Nobody else needs to be notified of these alerts."""
    if notices:
        await connection.execute(END, list(notices))


async def record_outcome(
    connection: Connection, notice_id: UUID, *, outcome: str, by: str, now: datetime
) -> bool:
    """Of an acknowledged alert, once; nothing more is expected then of whoever acknowledged."""
    recorded = await connection.fetchrow(OUTCOME, notice_id, outcome, by, now)
    if recorded:
        await connection.execute(ALL_SETTLED, notice_id, now)
    return recorded is not None


async def claim_missed(connection: Connection, *, now: datetime, limit: int) -> list[Crisis]:
    """Acknowledged crises past the clock of their outcome, each claimed once."""
    ids = [row["notice_id"] for row in await connection.fetch(MISSED, now, limit)]
    rows = await connection.fetch(ACKNOWLEDGED, ids) if ids else []
    return [Crisis(from_row(row), row["acknowledged_by"]) for row in rows]


def _unsettled(row: Record) -> UnsettledAlert:
    return UnsettledAlert(from_row(row), row["acknowledged_by"], tuple(row["recipients"]))
