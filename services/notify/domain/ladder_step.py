"""Taking an alert one step up its ladder: when it opens, and whenever its time has come."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.notify.domain import ladder, wording
from services.notify.domain.batch import Climber, Notice, Plan
from services.notify.domain.call_state import PSYCHIATRIST
from services.notify.domain.directory import Directory, Recipient
from services.notify.domain.ladder import Alarm, Alert, Pace, Person, Step, Tell, Wait
from services.notify.domain.wording import Words
from shared.events import NoticeFailed
from shared.ids import new_id
from shared.vocabulary import Lane

NOBODY = "nobody"
"""In place of a recipient's code where there was none."""


def open_alert(
    notice: Notice, pace: Pace, directory: Directory, plan: Plan, *, now: datetime, first: str | None = None
) -> None:
    """Puts an alert on its ladder. `first` is called before those on call, if they have an endpoint."""
    alert = Alert(opened_at=now, pace=pace)
    climber = Climber(notice=notice, alert=alert, next_step_at=now)
    holder = next((r for r in directory.recipients if r.id == first and r.lines), None)
    if holder is None:
        climb(climber, directory, plan, now=now)
    else:
        on_call = directory.on_call(notice.audience, notice.region, now)
        _take(Tell(holder.id, 0), climber, [holder, *on_call], directory, plan, now=now)
    _warn_of_gap(notice, directory, plan, now=now)


def climb(climber: Climber, directory: Directory, plan: Plan, *, now: datetime) -> None:
    """Adds to `plan` what the next step asks for, and when to look again."""
    on_call = directory.on_call(climber.notice.audience, climber.notice.region, now)
    step = ladder.next_step(climber.alert, _people(on_call), now)
    _take(step, climber, on_call, directory, plan, now=now)


def state_again(climber: Climber, directory: Directory, plan: Plan, *, now: datetime) -> None:
    """The same was stated anew: whoever was told so far is told again, and the next step is at once."""
    notice = replace(climber.notice, text=wording.stated_again(climber.notice.text, now))
    plan.reword(notice)
    on_call = directory.on_call(notice.audience, notice.region, now)
    alert = ladder.told_again(climber.alert, now)
    step = ladder.at_once(alert, _people(on_call))
    by_id = {recipient.id: recipient for recipient in directory.recipients}
    for told in alert.tellings if isinstance(step, Tell) else ():  # an alarm tells everyone
        person = by_id.get(told.recipient)
        if person and told.channel < len(person.lines):
            plan.deliver(notice, person, channel=told.channel, step=climber.steps + 1, now=now)
    again = replace(climber, notice=notice, alert=alert, steps=climber.steps + 1)
    _take(step, again, on_call, directory, plan, now=now)


def _take(
    step: Step,
    climber: Climber,
    on_call: Sequence[Recipient],
    directory: Directory,
    plan: Plan,
    *,
    now: datetime,
) -> None:
    notice = climber.notice
    told = on_call
    match step:
        case Tell(recipient, channel):
            person = next(r for r in on_call if r.id == recipient)
            plan.deliver(notice, person, channel=channel, step=climber.steps + 1, now=now)
        case Alarm(reason):
            told = _everyone(on_call, directory, notice)
            plan.tell_everywhere(notice, told, step=climber.steps + 1, now=now)
            alarms = _raise_alarm(climber, reason, directory, plan, now=now)
            climber = replace(climber, alarm_notices=alarms)
    alert = ladder.after(climber.alert, step, _people(told), now)
    then = ladder.next_step(alert, _people(on_call), now)
    plan.put(
        replace(
            climber,
            alert=alert,
            steps=climber.steps + isinstance(step, Tell | Alarm),
            alarms=climber.alarms + isinstance(step, Alarm),
            next_step_at=then.until if isinstance(then, Wait) else now,
        )
    )


def _warn_of_gap(notice: Notice, directory: Directory, plan: Plan, *, now: datetime) -> None:
    if notice.audience != PSYCHIATRIST:
        return
    ops = directory.covering(wording.OPS, notice.region)
    if ops and len(directory.on_call(PSYCHIATRIST, notice.region, now)) == 1:
        said = wording.gap()
        gap = replace(
            notice,
            id=new_id(),
            audience=said.audience,
            title=said.title,
            text=said.text,
            respond_by=None,
            lane=Lane.ROUTINE,
            is_alert=False,
        )
        plan.notices.append(gap)
        plan.tell(gap, ops, now=now)


def failed(notice: Notice, recipient: str, reason: str, *, now: datetime) -> NoticeFailed:
    return NoticeFailed(
        event_id=new_id(),
        occurred_at=now,
        region=notice.region,
        referral_id=notice.referral_id,
        revision=notice.revision,
        clinic=notice.clinic,
        notice_id=notice.id,
        about=notice.about,
        audience=notice.audience,  # type: ignore[arg-type]  # pydantic holds it to the contract's audiences
        recipient=recipient,
        reason=reason,
    )


def _people(recipients: Sequence[Recipient]) -> list[Person]:
    return [Person(recipient.id, len(recipient.lines)) for recipient in recipients]


def _everyone(on_call: Sequence[Recipient], directory: Directory, notice: Notice) -> list[Recipient]:
    """Those on call first, then all others who could answer."""
    present = {recipient.id for recipient in on_call}
    others = [r for r in directory.desk(notice.audience, notice.region) if r.id not in present]
    return [*on_call, *others]


def _raise_alarm(
    climber: Climber, reason: str, directory: Directory, plan: Plan, *, now: datetime
) -> tuple[Notice, ...]:
    """The first time it is announced; after that the same alarm is told again, as it is true by then."""
    notices = _reworded(climber, reason, plan) or _alarm_notices(climber, reason, directory, plan, now=now)
    for notice in notices:
        recipients = directory.desk(notice.audience, notice.region)
        plan.tell_everywhere(notice, recipients, step=climber.steps + 1, now=now)
    return notices


def _reworded(climber: Climber, reason: str, plan: Plan) -> tuple[Notice, ...]:
    said = {words.audience: words.text for words in _alarm_words(climber, reason)}
    notices = tuple(replace(n, text=said.get(n.audience, n.text)) for n in climber.alarm_notices)
    for notice, before in zip(notices, climber.alarm_notices, strict=True):
        if notice != before:
            plan.reword(notice)
    return notices


def _alarm_words(climber: Climber, reason: str) -> list[Words]:
    about = climber.notice
    assert about.urgency is not None, "an alert has an urgency"
    return wording.alarm(
        reason, about.audience, about.urgency, about.respond_by, acknowledged=climber.acknowledged
    )


def _alarm_notices(
    climber: Climber, reason: str, directory: Directory, plan: Plan, *, now: datetime
) -> tuple[Notice, ...]:
    about = climber.notice
    fact = failed(about, NOBODY, reason, now=now)
    plan.facts.append(fact)
    notices = tuple(
        Notice(
            id=new_id(),
            event_id=fact.event_id,
            audience=words.audience,
            about=about.about,
            referral_id=about.referral_id,
            revision=about.revision,
            decision=about.decision,
            clinic=about.clinic,
            region=about.region,
            therapist=None,
            urgency=about.urgency,
            lane=about.lane,
            title=words.title,
            text=words.text,
            respond_by=words.respond_by,
            occurred_at=now,
            created_at=now,
            answers=about.id,
            traceparent=about.traceparent,
            unaddressed=not directory.desk(words.audience, about.region),
        )
        for words in _alarm_words(climber, reason)
    )
    plan.notices.extend(notices)
    return notices
