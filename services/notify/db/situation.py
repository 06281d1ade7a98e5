"""Load what a decision about a batch of events rests on. The referrals stay locked until the end."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.notify.db import acknowledgements, alerts, notices, recipients
from services.notify.domain.batch import Situation
from services.notify.domain.call_state import Known
from services.notify.domain.events import Closed, MatchingEvent, TriageEvent
from services.notify.domain.matching_events import therapist_of
from services.notify.domain.triage_events import Decision, decided_by
from shared.db.postgres import Connection

Notified = frozenset[tuple[UUID, str]]


async def of_triage(connection: Connection, events: Sequence[TriageEvent], notified: Notified) -> Situation:
    known = await notices.known(connection, {event.referral_id for event in events})
    decided = {event.referral_id for event in events if decided_by(event)}
    others = await acknowledgements.others(connection, decided)
    directory = await recipients.directory(
        connection,
        regions={event.region for event in events} | {other.notice.region for other in others},
        clinics={event.clinic for event in events},
    )
    return Situation(
        known=known,
        directory=directory,
        escalating=await alerts.locked(connection, _may_be_stated_again(events, known)),
        reviews=tuple(await acknowledgements.reviews(connection, decided)),
        others=tuple(others),
        notified=notified,
    )


async def of_matching(
    connection: Connection, events: Sequence[MatchingEvent], notified: Notified
) -> Situation:
    ended = {event.referral_id for event in events if isinstance(event, Closed)}
    return Situation(
        known=await notices.known(connection, ended),
        directory=await recipients.directory(
            connection,
            regions={event.region for event in events},
            clinics={event.clinic for event in events},
            therapists={therapist for event in events if (therapist := therapist_of(event))},
        ),
        notified=notified,
    )


def _may_be_stated_again(events: Sequence[TriageEvent], known: Mapping[UUID, Known]) -> list[UUID]:
    """The open alerts of whoever is stated again."""
    referrals = {event.referral_id for event in events if isinstance(event, Decision) and event.restates}
    return sorted(o.notice for referral in referrals for o in known[referral].open if o.notice)
