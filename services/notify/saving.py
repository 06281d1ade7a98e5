"""Save what was decided, and note what that answers."""

from datetime import datetime

from services.notify import alert_store, delivery_store, notice_store
from services.notify.alert_store import Answered
from services.notify.metrics import ALARMS
from services.notify.plan import Plan
from shared import logs
from shared.events import NoticeAcknowledged, NotifyFact
from shared.ids import new_id
from shared.postgres import Connection

log = logs.get(__name__)


async def save(connection: Connection, plan: Plan, *, now: datetime) -> list[NotifyFact]:
    """Returns what is to be announced. What an earlier arrival of the same fact told is not told again."""
    fresh = await notice_store.insert(connection, plan.notices)
    told_before = {notice.id for notice in plan.notices} - fresh
    await alert_store.put(connection, [c for c in plan.climbers if c.notice.id not in told_before])
    await delivery_store.insert(connection, [d for d in plan.deliveries if d.notice_id not in told_before])
    answered = await alert_store.reviewed(connection, plan.reviews, now=now)
    facts = [fact for fact in plan.facts if fact.notice_id not in told_before]
    _sound_alarms(plan, now)
    return [*facts, *acknowledged(answered, now=now)]


def acknowledged(answered: list[Answered], *, now: datetime) -> list[NotifyFact]:
    return [
        NoticeAcknowledged(
            event_id=new_id(),
            occurred_at=now,
            region=one.row["region"],
            referral_id=one.row["referral_id"],
            revision=one.row["revision"],
            clinic=one.row["clinic"],
            notice_id=one.row["id"],
            about=one.row["about"],
            audience=one.row["audience"],
            recipient=one.recipient,
            by=one.row["acknowledged_by"],
        )
        for one in answered
    ]


def _sound_alarms(plan: Plan, now: datetime) -> None:
    for climber in plan.climbers:
        if climber.alert.alarmed_at == now:
            notice = climber.notice
            ALARMS.labels(notice.lane).inc()
            log.error("alarm", action="alarm", notice_id=str(notice.id), times=climber.alarms)
