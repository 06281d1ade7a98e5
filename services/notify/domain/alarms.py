"""The alarm about an alert: to whoever can reach people by other means, until somebody acknowledges."""

from dataclasses import replace
from typing import Final

from services.notify.domain import alert_wording
from services.notify.domain.batch import EscalatingAlert, Notice
from services.notify.domain.draft import Draft
from services.notify.domain.words import Words

NOBODY: Final = "nobody"
"""In place of a recipient's code where there was none."""


def raise_alarm(escalating: EscalatingAlert, reason: str, draft: Draft) -> tuple[Notice, ...]:
    """The first time it is published; after that the same alarm is sent again, as it is true by then."""
    notices = _reworded(escalating, reason, draft) or _alarm_notices(escalating, reason, draft)
    for notice in notices:
        recipients = draft.directory.desk(notice.audience, notice.region)
        draft.notify_everywhere(notice, recipients, step=escalating.steps + 1)
    return notices


def _reworded(escalating: EscalatingAlert, reason: str, draft: Draft) -> tuple[Notice, ...]:
    texts = {words.audience: words.text for words in _words(escalating, reason)}
    notices = tuple(replace(n, text=texts.get(n.audience, n.text)) for n in escalating.alarm_notices)
    for notice, before in zip(notices, escalating.alarm_notices, strict=True):
        if notice != before:
            draft.reword(notice)
    return notices


def _words(escalating: EscalatingAlert, reason: str) -> list[Words]:
    about = escalating.notice
    assert about.urgency is not None, "an alert has an urgency"
    return alert_wording.alarm(
        reason, about.audience, about.urgency, about.respond_by, acknowledged=escalating.acknowledged
    )


def _alarm_notices(escalating: EscalatingAlert, reason: str, draft: Draft) -> tuple[Notice, ...]:
    about = escalating.notice
    failure = draft.fail(about, NOBODY, reason)
    notices = tuple(
        replace(
            about,
            id=draft.new_id(),
            event_id=failure.id,
            audience=words.audience,
            therapist=None,
            title=words.title,
            text=words.text,
            respond_by=words.respond_by,
            occurred_at=draft.now,
            created_at=draft.now,
            is_alert=False,
            answers=about.id,
            unaddressed=not draft.directory.desk(words.audience, about.region),
        )
        for words in _words(escalating, reason)
    )
    for notice in notices:
        draft.add(notice)
    return notices
