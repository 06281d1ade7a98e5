"""The events that a verdict publishes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.notify.domain.batch import Acknowledged, Failure, Notice, Verdict
from services.notify.domain.calling_again import Crisis
from services.notify.domain.deliveries import Attempt, DueDelivery
from shared.events import CrisisOutcomeRecorded, NoticeAcknowledged, NoticeFailed, NoticeSent, NotifyFact
from shared.ids import new_id

Outcome = Literal["reached", "handed_to_emergency_services", "not_reached"]


def of(verdict: Verdict, *, now: datetime) -> list[NotifyFact]:
    return [*_failed(verdict.failures, now), *acknowledged(verdict.acknowledged, now=now)]


def acknowledged(acknowledged: Sequence[Acknowledged], *, now: datetime) -> list[NoticeAcknowledged]:
    return [
        NoticeAcknowledged(
            event_id=one.id,
            occurred_at=now,
            recipient=one.recipient,
            by=one.by,
            taken_over=one.taken_over,
            **_about(one.notice.id, one.notice),
        )
        for one in acknowledged
    ]


def of_deliveries(
    delivered: Iterable[Attempt], given_up: Iterable[Attempt], *, now: datetime
) -> list[NotifyFact]:
    sent = [
        NoticeSent(
            event_id=new_id(),
            occurred_at=now,
            recipient=due.recipient,
            step=due.step,
            channel=f"{due.kind}-{due.channel + 1}",
            **_about(due.notice_id, due),
        )
        for due in (attempt.delivery for attempt in delivered)
    ]
    failed = [
        NoticeFailed(
            event_id=new_id(),
            occurred_at=now,
            recipient=due.recipient,
            reason="undeliverable",
            **_about(due.notice_id, due),
        )
        for due in (attempt.delivery for attempt in given_up)
    ]
    return [*sent, *failed]


def outcome_recorded(crisis: Crisis, outcome: Outcome, by: str, *, now: datetime) -> CrisisOutcomeRecorded:
    return CrisisOutcomeRecorded(
        event_id=new_id(),
        occurred_at=now,
        recipient=crisis.by,
        outcome=outcome,
        by=by,
        **_about(crisis.notice.id, crisis.notice),
    )


def _failed(failures: Iterable[Failure], now: datetime) -> list[NoticeFailed]:
    return [
        NoticeFailed(
            event_id=one.id,
            occurred_at=now,
            recipient=one.recipient,
            reason=one.reason,
            **_about(one.notice.id, one.notice),
        )
        for one in failures
    ]


def _about(notice_id: UUID, notice: Notice | DueDelivery) -> dict[str, Any]:
    same = ("region", "referral_id", "revision", "clinic", "about", "audience")
    return {"notice_id": notice_id} | {name: getattr(notice, name) for name in same}
