"""Facts, people and clocks for the tests of notify."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx

from services.notify.channels.webhook.request import Links
from services.notify.db import recipients
from services.notify.db.recipients import Channel
from services.notify.db.sealing import Sealer
from services.notify.domain.directory import Duty, Recipient
from services.notify.domain.host_limits import HostLimits
from services.notify.domain.retry import RetryPolicy
from services.notify.handlers import matching, triage
from services.notify.jobs import escalation as jobs
from services.notify.jobs.delivery import Deliverer
from services.notify.settings import NotifySettings
from shared import events
from shared.db.postgres import Pool, transaction
from shared.events import AnyFact, Needs, NotifyFact
from shared.ids import new_id, now
from shared.kafka.consumer import Handler
from shared.runtime.loops import BatchJob
from shared.vocabulary import Lane, LevelOfCare, Urgency

SECRET = "a-secret-of-16-or-more"
MINUTE = timedelta(minutes=1)
CLOCKS = NotifySettings(overdue_step_seconds=1200, overdue_alarm_seconds=5400).clocks
EXPRESS = partial(triage.handle, group="notify-express", clocks=CLOCKS)
ROUTINE = partial(triage.handle, group="notify-triage", clocks=CLOCKS)
MATCHING = partial(matching.handle, group="notify-matching", clocks=CLOCKS)


@dataclass
class Clock:
    """Time that moves when it is told to."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return now() + self.ahead

    def moves(self, minutes: float) -> None:
        self.ahead += timedelta(minutes=minutes)


@dataclass(frozen=True)
class About:
    """One referral and what is said of it."""

    referral: UUID
    region: str = "north"
    clinic: str = "clinic-1"

    def _common(self, revision: int) -> dict[str, Any]:
        return {
            "event_id": new_id(),
            "occurred_at": now(),
            "region": self.region,
            "referral_id": self.referral,
            "revision": revision,
            "clinic": self.clinic,
        }

    def triaged(
        self,
        urgency: Urgency,
        decision: int = 1,
        *,
        by: str | None = None,
        express: bool | None = None,
        in_review: bool = False,
    ) -> events.ReferralTriaged:
        cannot_wait = urgency in (Urgency.EMERGENCY, Urgency.VERY_URGENT)
        return events.ReferralTriaged(
            **self._common(decision),
            express=cannot_wait if express is None else express,
            decision=decision,
            urgency=urgency,
            respond_by=now() + timedelta(hours=4),
            level_of_care=LevelOfCare.MODERATE,
            team=("therapist",),
            rules=(),
            policy="network",
            policy_version="1",
            needs=Needs(),
            in_review=in_review,
            decided_by=by,
        )

    def review(
        self, urgency: Urgency, decision: int = 1, *, holds: bool = False, express: bool = False
    ) -> events.ReviewRequested:
        return events.ReviewRequested(
            **self._common(decision),
            express=express,
            decision=decision,
            reasons=(),
            urgency=urgency,
            review_by=now() + timedelta(hours=1),
            holds=holds,
        )

    def overdue(
        self, urgency: Urgency, decision: int = 1, *, express: bool = False, unanswered: bool = False
    ) -> events.ReviewOverdue:
        return events.ReviewOverdue(
            **self._common(decision),
            express=express,
            decision=decision,
            urgency=urgency,
            review_by=now() - timedelta(hours=1),
            unanswered=unanswered,
        )

    def asked(self, urgency: Urgency, decision: int) -> events.InformationRequested:
        return events.InformationRequested(
            **self._common(decision),
            express=False,
            decision=decision,
            reason="unclear",
            questions=(events.Question(code="consent", text="Does the person agree?"),),
            answer_by=now() + timedelta(days=3),
            urgency=urgency,
            respond_by=now() + timedelta(days=7),
            decided_by="clin-1",
        )

    def reminded(self, urgency: Urgency, decision: int) -> events.InformationReminded:
        return events.InformationReminded(
            **self._common(decision),
            express=False,
            decision=decision,
            urgency=urgency,
            answer_by=now() + timedelta(days=1),
        )

    def returned(self, decision: int = 2) -> events.ReferralReturned:
        return events.ReferralReturned(
            **self._common(decision),
            express=False,
            decision=decision,
            reason="elsewhere",
            next_step="see_advice",
            next_step_by=now() + timedelta(days=2),
            decided_by="clin-1",
        )

    def ended(self, decision: int = 2, *, express: bool = True) -> events.TriageEnded:
        return events.TriageEnded(
            **self._common(decision), express=express, decision=decision, reason="withdrawn"
        )

    def proposed(self, therapist: UUID) -> events.MatchProposed:
        return events.MatchProposed(
            **self._common(1),
            urgency=Urgency.ROUTINE,
            offer_id=new_id(),
            therapist_id=therapist,
            attempt=1,
            expires_at=now() + timedelta(days=1),
            score=0.5,
            criteria=(),
            eligible=1,
            considered=1,
        )

    def accepted(self) -> events.MatchAccepted:
        return events.MatchAccepted(
            **self._common(1), urgency=Urgency.ROUTINE, offer_id=new_id(), therapist_id=uuid4()
        )

    def declined(self, therapist: UUID, *, answered: bool) -> events.MatchDeclined:
        return events.MatchDeclined(
            **self._common(1),
            urgency=Urgency.ROUTINE,
            offer_id=new_id(),
            therapist_id=therapist,
            reason="no_availability" if answered else "expired",
            answered=answered,
        )

    def closed(self, therapist: UUID | None = None) -> events.ReferralClosed:
        return events.ReferralClosed(
            **self._common(1), urgency=Urgency.ROUTINE, reason="report_sent", therapist_id=therapist
        )


def referral(**where: str) -> About:
    return About(uuid4(), **where)


async def take(pool: Pool, handler: Handler, *facts: AnyFact) -> None:
    """As the consumer does: one batch, one transaction."""
    async with transaction(pool) as connection:
        await handler(connection, facts)


async def person(
    pool: Pool,
    name: str,
    audience: str,
    *urls: str,
    regions: Sequence[str] = (),
    clinic: str | None = None,
    therapist: UUID | None = None,
    active: bool = True,
) -> None:
    """Somebody with these channels, in this order; one nobody listens at if none is given."""
    channels = [
        Channel("webhook", url, httpx.URL(url).netloc.decode(), Sealer({}).seal(SECRET))
        for url in urls or (f"http://{name}.example/",)
    ]
    recipient = Recipient(
        id=name,
        audience=audience,
        hosts=tuple(channel.host for channel in channels),
        regions=frozenset(regions),
        clinic=clinic,
        therapist=therapist,
    )
    async with transaction(pool) as connection:
        await recipients.put(connection, recipient, active=active, now=now())
        await recipients.put_channels(connection, name, channels, now=now())


async def on_duty(pool: Pool, *names: str, region: str = "north") -> None:
    """This fallback list is the region's whole rota."""
    duties = [Duty(region=region, recipient=name, place=place) for place, name in enumerate(names)]
    async with transaction(pool) as connection:
        await recipients.put_rota(connection, region, duties)


async def notified(pool: Pool) -> list[tuple[str, str]]:
    """Audience and recipient of everything to be delivered, in order."""
    rows = await pool.fetch(
        "select audience, recipient from delivery join notice on notice.id = notice_id "
        "order by step, delivery.first_at, audience, recipient, channel"
    )
    return [(row["audience"], row["recipient"]) for row in rows]


async def published(pool: Pool) -> list[NotifyFact]:
    rows = await pool.fetch("select body from outbox order by position")
    facts = [events.READER.validate_json(row["body"]) for row in rows]
    assert all(isinstance(fact, NotifyFact) for fact in facts)
    return facts  # type: ignore[return-value]  # asserted above


async def reasons(pool: Pool) -> list[str]:
    return [fact.reason for fact in await published(pool) if isinstance(fact, events.NoticeFailed)]


def escalation(pool: Pool, clock: Callable[[], datetime] = now, lane: Lane = Lane.EXPRESS) -> BatchJob:
    work = partial(jobs.escalate, lane=lane)
    return BatchJob(work=work, limit=jobs.AT_ONCE, pool=lambda: pool, committed=lambda: None, clock=clock)


def deliverer(
    pool: Pool,
    client: httpx.AsyncClient,
    *,
    lane: Lane = Lane.ROUTINE,
    clock: Callable[[], datetime] = now,
    places: int = 16,
    ahead: int = 1,
    per_host: int = 4,
    timeout_seconds: float = 5,
    give_up_after: timedelta = timedelta(days=3),
) -> Deliverer:
    return Deliverer(
        lane=lane,
        pool=lambda: pool,
        client=client,
        sealer=Sealer({}),
        links=Links(referral_url="http://intake.example", public_url="http://notify.example"),
        retry_policy=RetryPolicy(
            first_pause=timedelta(seconds=5),
            longest_pause=timedelta(hours=1),
            give_up_after=give_up_after,
        ),
        places=places,
        ahead=ahead,
        host_limits=HostLimits(per_host, cooldown=lane is Lane.ROUTINE),
        timeout_seconds=timeout_seconds,
        clock=clock,
    )
