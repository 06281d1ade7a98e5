"""What becomes of a referral: the referrer is notified, and a therapist of an offer and of its end."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.notify.domain import wording
from services.notify.domain.batch import Situation, Verdict
from services.notify.domain.call_state import Known
from services.notify.domain.draft import Draft, NewId
from services.notify.domain.events import (
    Accepted,
    Booked,
    Closed,
    Declined,
    MatchingEvent,
    Proposed,
    Waitlisted,
)
from services.notify.domain.ladder import Clocks
from services.notify.domain.notices import Notifier
from services.notify.domain.words import Words


def decide(
    events: Sequence[MatchingEvent], situation: Situation, clocks: Clocks, *, now: datetime, new_id: NewId
) -> Verdict:
    """`situation.known` holds the referrals that end."""
    draft = Draft(directory=situation.directory, now=now, new_id=new_id, notified=set(situation.notified))
    notifier = Notifier(draft=draft, clocks=clocks)
    known = dict(situation.known)
    for event in events:
        before = known.get(event.referral_id, Known())
        notifier.notify(event, words(event, before), urgency=event.urgency, therapist=therapist_of(event))
        if isinstance(event, Closed):
            known[event.referral_id] = before.ended()
    return draft.verdict(known)


def words(event: MatchingEvent, known: Known) -> list[Words]:
    match event:
        case Proposed():
            return wording.proposed(event.expires_at)
        case Accepted():
            return wording.accepted()
        case Declined():
            return wording.declined(answered=event.answered)
        case Waitlisted():
            return wording.waitlisted(event.try_again_by)
        case Booked():
            return wording.booked(event.starts_at)
        case Closed():
            freed = wording.freed() if event.therapist else []
            if known.over:  # the referrer has heard from triage why
                return freed
            return [*wording.closed(known.waiting_audiences), *freed]
    return []


def therapist_of(event: MatchingEvent) -> UUID | None:
    """Who is notified of it besides the referrer."""
    match event:
        case Proposed() | Declined() | Closed():
            return event.therapist
    return None
