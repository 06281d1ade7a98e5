"""Taking an alert one step up its ladder: when it opens, and whenever its time has come."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from services.notify.domain import ladder
from services.notify.domain.alarms import raise_alarm
from services.notify.domain.alert_wording import gap, stated_again
from services.notify.domain.batch import EscalatingAlert, Notice, Verdict
from services.notify.domain.call_state import PSYCHIATRIST
from services.notify.domain.directory import Directory, Recipient
from services.notify.domain.draft import Draft, NewId
from services.notify.domain.ladder import Alarm, Alert, Notify, Pace, Person, Step, Wait
from services.notify.domain.words import OPS
from shared.vocabulary import Lane


def escalate(
    due: Iterable[EscalatingAlert], directory: Directory, *, now: datetime, new_id: NewId
) -> Verdict:
    """The next step of each of these, and when to look again."""
    draft = Draft(directory=directory, now=now, new_id=new_id)
    for escalating in due:
        _escalate(escalating, draft)
    return draft.verdict()


def open_alert(notice: Notice, pace: Pace, draft: Draft, *, first: str | None = None) -> None:
    """Puts an alert on its ladder. `first` is called before those on call, if they have an endpoint."""
    alert = Alert(opened_at=draft.now, pace=pace)
    opened = EscalatingAlert(notice=notice, alert=alert, next_step_at=draft.now)
    holder = next((r for r in draft.directory.recipients if r.id == first and r.hosts), None)
    if holder is None:
        _escalate(opened, draft)
    else:
        _apply(Notify(holder.id, 0), opened, [holder, *_on_call(notice, draft)], draft)
    _warn_of_gap(notice, draft)


def state_again(escalating: EscalatingAlert, draft: Draft) -> None:
    """The same was stated anew: whoever was notified is notified again, and the next step is at once."""
    notice = replace(escalating.notice, text=stated_again(escalating.notice.text, draft.now))
    draft.reword(notice)
    on_call = _on_call(notice, draft)
    alert = ladder.notified_again(escalating.alert, draft.now)
    step = ladder.at_once(alert, _people(on_call))
    by_id = {recipient.id: recipient for recipient in draft.directory.recipients}
    for rung in alert.notified if isinstance(step, Notify) else ():  # an alarm notifies everyone
        person = by_id.get(rung.recipient)
        if person and rung.channel < len(person.hosts):
            draft.deliver(notice, person, channel=rung.channel, step=escalating.steps + 1)
    again = replace(escalating, notice=notice, alert=alert, steps=escalating.steps + 1)
    _apply(step, again, on_call, draft)


def _escalate(escalating: EscalatingAlert, draft: Draft) -> None:
    on_call = _on_call(escalating.notice, draft)
    _apply(ladder.next_step(escalating.alert, _people(on_call), draft.now), escalating, on_call, draft)


def _apply(step: Step, escalating: EscalatingAlert, on_call: Sequence[Recipient], draft: Draft) -> None:
    notice, notified = escalating.notice, on_call
    match step:
        case Notify(recipient, channel):
            person = next(r for r in on_call if r.id == recipient)
            draft.deliver(notice, person, channel=channel, step=escalating.steps + 1)
        case Alarm(reason):
            notified = _everyone(on_call, notice, draft)
            draft.notify_everywhere(notice, notified, step=escalating.steps + 1)
            escalating = replace(escalating, alarm_notices=raise_alarm(escalating, reason, draft))
    alert = ladder.after(escalating.alert, step, _people(notified), draft.now)
    then = ladder.next_step(alert, _people(on_call), draft.now)
    draft.put(
        replace(
            escalating,
            alert=alert,
            steps=escalating.steps + isinstance(step, Notify | Alarm),
            alarms=escalating.alarms + isinstance(step, Alarm),
            next_step_at=then.until if isinstance(then, Wait) else draft.now,
        )
    )


def _warn_of_gap(notice: Notice, draft: Draft) -> None:
    if notice.audience != PSYCHIATRIST:
        return
    ops = draft.directory.covering(OPS, notice.region)
    if ops and len(_on_call(notice, draft)) == 1:
        words = gap()
        warning = replace(
            notice,
            id=draft.new_id(),
            audience=words.audience,
            title=words.title,
            text=words.text,
            respond_by=None,
            lane=Lane.ROUTINE,
            is_alert=False,
        )
        if draft.add(warning):
            draft.notify(warning, ops)


def _on_call(notice: Notice, draft: Draft) -> list[Recipient]:
    return draft.directory.on_call(notice.audience, notice.region, draft.now)


def _people(recipients: Sequence[Recipient]) -> list[Person]:
    return [Person(recipient.id, len(recipient.hosts)) for recipient in recipients]


def _everyone(on_call: Sequence[Recipient], notice: Notice, draft: Draft) -> list[Recipient]:
    """Those on call first, then all others who could respond."""
    present = {recipient.id for recipient in on_call}
    others = [r for r in draft.directory.desk(notice.audience, notice.region) if r.id not in present]
    return [*on_call, *others]
