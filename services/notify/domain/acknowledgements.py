"""Acknowledgements: a clinician's decision settles reviews; the others who were called hear of either."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notify.domain.alert_wording import part_acknowledged
from services.notify.domain.batch import Acknowledged, UnsettledAlert, Verdict
from services.notify.domain.call_state import CLINICIAN
from services.notify.domain.directory import Directory
from services.notify.domain.draft import Draft, NewId

ABOUT: Final = "NoticeAcknowledged"


def acknowledge(
    acknowledged: Sequence[Acknowledged],
    others: Sequence[UnsettledAlert],
    directory: Directory,
    *,
    now: datetime,
    new_id: NewId,
) -> Verdict:
    """Somebody has acknowledged these; `others` are the unsettled alerts of the same referrals."""
    draft = Draft(directory=directory, now=now, new_id=new_id)
    draft.acknowledged.extend(acknowledged)
    show_others(draft, others)
    return draft.verdict()


def settle_reviews(draft: Draft, stored: Sequence[UnsettledAlert]) -> None:
    """The decisions of this batch settle what clinicians were asked, in this batch or before."""
    for reviewed in draft.reviewed:
        for alert in _unsettled(draft, stored, {reviewed.referral_id}):
            if alert.notice.audience == CLINICIAN and alert.notice.decision <= reviewed.decision:
                _settle(draft, alert, reviewed.by)


def _settle(draft: Draft, alert: UnsettledAlert, by: str) -> None:
    draft.settled[alert.notice.id] = by
    if alert.goes_on:
        draft.acknowledged.append(
            Acknowledged(id=draft.new_id(), notice=alert.notice, recipient=_recipient(alert, by), by=by)
        )


def show_others(draft: Draft, stored: Sequence[UnsettledAlert]) -> None:
    """Whoever was called about the same referral for another part hears that this one is acknowledged."""
    newest = {(one.notice.referral_id, one.notice.audience): one for one in draft.acknowledged}
    if not newest:
        return
    others = _newest_of_each(_unsettled(draft, stored, {referral for referral, _ in newest}))
    for one in newest.values():
        for other in others:
            notice = other.notice
            if notice.referral_id == one.notice.referral_id and notice.audience != one.notice.audience:
                _show(draft, other, one)


def _show(draft: Draft, other: UnsettledAlert, acknowledged: Acknowledged) -> None:
    """In the lane of the alert that is still open."""
    words = part_acknowledged(other.notice.audience, acknowledged.notice.audience, still_open=other.goes_on)
    notice = replace(
        other.notice,
        id=draft.new_id(),
        event_id=acknowledged.id,
        about=ABOUT,
        title=words.title,
        text=words.text,
        respond_by=None,
        occurred_at=draft.now,
        created_at=draft.now,
        is_alert=False,
        answers=None,
    )
    if draft.add(notice):
        draft.notify(notice, [r for r in draft.directory.recipients if r.id in other.recipients])


def _newest_of_each(alerts: Iterable[UnsettledAlert]) -> list[UnsettledAlert]:
    """The newest alert of each referral and audience, one that is open before one that is not."""
    ordered = sorted(alerts, key=lambda alert: (alert.goes_on, alert.notice.id))
    return list({(a.notice.referral_id, a.notice.audience): a for a in ordered}.values())


def _unsettled(
    draft: Draft, stored: Iterable[UnsettledAlert], referrals: Collection[UUID]
) -> list[UnsettledAlert]:
    """The alerts of these referrals as this batch leaves them, with everybody who is notified of them."""
    alerts = {a.notice.id: a for a in stored if a.notice.referral_id in referrals}
    for opened in draft.alerts.values():
        notice = opened.notice
        if notice.referral_id in referrals:
            before = alerts[notice.id].recipients if notice.id in alerts else ()
            now = tuple(d.recipient for d in draft.deliveries if d.notice_id == notice.id)
            alerts[notice.id] = UnsettledAlert(notice, None, (*now, *before))
    return [alert for alert in alerts.values() if alert.notice.id not in draft.settled]


def _recipient(alert: UnsettledAlert, by: str) -> str:
    """Whose delivery it was: of whoever responds, else the latest."""
    if by in alert.recipients or not alert.recipients:
        return by
    return alert.recipients[0]
