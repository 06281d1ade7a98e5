"""Save what was decided, and note what that answers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.notify.db import alerts, deliveries, notices
from services.notify.db import recipients as recipient_store
from services.notify.db.alerts import Answered
from services.notify.domain import wording
from services.notify.domain.batch import Notice, Plan
from services.notify.domain.wording import Words
from services.notify.metrics import ALARMS
from shared.db.postgres import Connection
from shared.events import NoticeAcknowledged, NotifyFact
from shared.ids import new_id
from shared.telemetry import logs

log = logs.get(__name__)


async def save(connection: Connection, plan: Plan, *, now: datetime) -> list[NotifyFact]:
    """Returns what is to be announced. What an earlier arrival of the same fact told is not told again."""
    fresh = await notices.insert(connection, plan.notices)
    told_before = {notice.id for notice in plan.notices} - fresh
    await alerts.put(connection, [c for c in plan.climbers if c.notice.id not in told_before])
    await deliveries.insert(connection, [d for d in plan.deliveries if d.notice_id not in told_before])
    await notices.reword(connection, plan.reworded)
    answered = await alerts.reviewed(connection, plan.reviews, now=now)
    facts = [fact for fact in plan.facts if fact.notice_id not in told_before]
    _sound_alarms(plan, now)
    ended = acknowledged(answered, now=now)
    await show_others(connection, ended, now=now)
    return [*facts, *ended]


async def show_others(connection: Connection, ended: Sequence[NoticeAcknowledged], *, now: datetime) -> None:
    """Whoever was called about the same referral for another part hears that this one is acknowledged."""
    newest = {(fact.referral_id, fact.audience): fact for fact in ended}
    if not newest:
        return
    others = await alerts.others(connection, {fact.referral_id for fact in newest.values()})
    directory = await recipient_store.directory(connection, regions={other.region for other, *_ in others})
    plan = Plan()
    for fact in newest.values():
        for other, is_open, told in others:
            if other.referral_id != fact.referral_id or other.audience == fact.audience:
                continue
            words = wording.part_acknowledged(other.audience, fact.audience, still_open=is_open)
            notice = shown(other, fact, words, now=now)
            recipients = [r for r in directory.recipients if r.id in told]
            plan.notices.append(notice)
            plan.tell(notice, recipients, now=now)
    fresh = await notices.insert(connection, plan.notices)
    await deliveries.insert(connection, [d for d in plan.deliveries if d.notice_id in fresh])


def shown(other: Notice, fact: NoticeAcknowledged, words: Words, *, now: datetime) -> Notice:
    """In the lane of the alert that is still open."""
    return replace(
        other,
        id=new_id(),
        event_id=fact.event_id,
        about=fact.type,
        title=words.title,
        text=words.text,
        respond_by=None,
        occurred_at=now,
        created_at=now,
        is_alert=False,
        answers=None,
    )


def acknowledged(answered: list[Answered], *, now: datetime) -> list[NoticeAcknowledged]:
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
            taken_over=one.row["taken_over"],
        )
        for one in answered
    ]


def _sound_alarms(plan: Plan, now: datetime) -> None:
    for climber in plan.climbers:
        if climber.alert.alarmed_at == now:
            notice = climber.notice
            ALARMS.labels(notice.lane).inc()
            log.error("alarm", action="alarm", notice_id=str(notice.id), times=climber.alarms)
