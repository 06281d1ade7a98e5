"""Taking an alert one step up its ladder: when it opens, and whenever its time has come."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.notify import ladder, wording
from services.notify.addressing import Directory, Recipient
from services.notify.ladder import Alarm, Person, Tell, Wait
from services.notify.plan import Climber, Notice, Plan
from shared.events import NoticeFailed
from shared.ids import new_id

NOBODY = "nobody"
"""In place of a recipient's code where there was none."""


def climb(climber: Climber, directory: Directory, plan: Plan, *, now: datetime) -> None:
    """Adds to `plan` what the next step asks for, and when to look again."""
    notice = climber.notice
    on_call = directory.on_call(notice.audience, notice.region, now)
    step = ladder.next_step(climber.alert, _people(on_call), now)
    told = on_call
    match step:
        case Tell(recipient, channel):
            person = next(r for r in on_call if r.id == recipient)
            plan.deliver(notice, person, channel=channel, step=climber.steps + 1, now=now)
        case Alarm(reason):
            told = _everyone(on_call, directory, notice)
            plan.tell_everywhere(notice, told, step=climber.steps + 1, now=now)
            _raise_alarm(climber, reason, directory, plan, now=now)
    alert = ladder.after(climber.alert, step, _people(told), now)
    then = ladder.next_step(alert, _people(on_call), now)
    plan.climbers.append(
        replace(
            climber,
            alert=alert,
            steps=climber.steps + isinstance(step, Tell | Alarm),
            alarms=climber.alarms + isinstance(step, Alarm),
            next_step_at=then.until if isinstance(then, Wait) else now,
        )
    )


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


def _raise_alarm(climber: Climber, reason: str, directory: Directory, plan: Plan, *, now: datetime) -> None:
    """The first time it is announced; after that the same alarm is told again."""
    notices = climber.alarm_notices or _alarm_notices(climber.notice, reason, directory, plan, now=now)
    for notice in notices:
        recipients = directory.desk(notice.audience, notice.region)
        plan.tell_everywhere(notice, recipients, step=climber.steps + 1, now=now)


def _alarm_notices(
    about: Notice, reason: str, directory: Directory, plan: Plan, *, now: datetime
) -> list[Notice]:
    fact = failed(about, NOBODY, reason, now=now)
    plan.facts.append(fact)
    assert about.urgency is not None, "an alert has an urgency"
    notices = [
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
        for words in wording.alarm(reason, about.urgency, about.respond_by)
    ]
    plan.notices.extend(notices)
    return notices
