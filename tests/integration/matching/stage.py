"""Matching on a real database: therapists, events of triage, and what matching publishes."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from services.matching.api.therapist_models import TherapistEntry
from services.matching.db import offers as offer_store
from services.matching.db import referrals
from services.matching.domain.offer_rules import LEVELS, Decline
from services.matching.domain.offers import Offer
from services.matching.domain.proposals import Policy
from services.matching.domain.referrals import Referral
from services.matching.domain.roster_changes import RosterChanges
from services.matching.domain.scoring import Weights
from services.matching.handlers import offer_responses, roster_updates, triage
from services.matching.jobs.offer_expiry import expire_batch
from services.matching.jobs.rounds import Matcher
from services.matching.jobs.vacancies import offer_vacancies
from shared.db.postgres import Pool, transaction
from shared.events import (
    READER,
    AnyFact,
    Indication,
    Needs,
    ReferralReturned,
    ReferralTriaged,
    ReviewRequested,
    TriageEnded,
)
from shared.ids import new_id, now
from shared.network import NOTHING_CHECKED, Network
from shared.vocabulary import LevelOfCare, Urgency
from shared.web.auth import Caller, Role

COORDINATOR = Caller("coordinator-1", Role.COORDINATOR)
HOURS: dict[Urgency, float] = dict.fromkeys(Urgency, 24.0)
CLOCK = {
    Urgency.EMERGENCY: timedelta(0),
    Urgency.VERY_URGENT: timedelta(hours=4),
    Urgency.URGENT: timedelta(days=1),
    Urgency.SOON: timedelta(days=7),
    Urgency.ROUTINE: timedelta(days=28),
    Urgency.PREVENTIVE: timedelta(days=90),
}

WAITS_FOR_A_LOCK = """
    select exists (select from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock')
"""

T = TypeVar("T", bound=AnyFact)


def entry(**changes: Any) -> TherapistEntry:
    boring: dict[str, Any] = {
        "name": "A. Therapist",
        "region": "north",
        "languages": ["en"],
        "payers": ["harbor"],
        "modalities": ["cbt"],
        "age_groups": ["adult"],
        "settings": ["in_person"],
        "places_total": 1,
    }
    return TherapistEntry(**boring | changes)


def needs(**changes: Any) -> Needs:
    boring: dict[str, Any] = {
        "age": 34,
        "languages": ("en",),
        "payer": "harbor",
        "problems": ("depression",),
    }
    return Needs(**boring | changes)


def _about(referral_id: UUID | None, revision: int, decision: int, express: bool) -> dict[str, Any]:
    return {
        "event_id": new_id(),
        "occurred_at": now(),
        "referral_id": referral_id or uuid4(),
        "revision": revision,
        "decision": decision,
        "region": "north",
        "clinic": "clinic-1",
        "express": express,
    }


def triaged(
    referral_id: UUID | None = None,
    *,
    urgency: Urgency = Urgency.ROUTINE,
    revision: int = 1,
    decision: int = 1,
    ago: timedelta = timedelta(0),
    express: bool | None = None,
    modalities: tuple[str, ...] = ("cbt",),
    clinic: str = "clinic-1",
    **changes: Any,
) -> ReferralTriaged:
    """`ago`: time since triage decided so."""
    lane = LEVELS[urgency] >= LEVELS[Urgency.VERY_URGENT] if express is None else express
    about = _about(referral_id, revision, decision, lane)
    decided_at: datetime = about["occurred_at"] - ago
    return ReferralTriaged(
        **about | {"occurred_at": decided_at, "clinic": clinic},
        urgency=urgency,
        respond_by=decided_at + CLOCK[urgency],
        level_of_care=LevelOfCare.MODERATE,
        indications=tuple(
            Indication(modality=m, problem="depression", strength="first_line", source="made up")
            for m in modalities
        ),
        team=("therapist",),
        rules=(),
        policy="test",
        policy_version="1",
        needs=needs(**changes),
    )


def ended(referral_id: UUID, *, revision: int = 2, decision: int = 2) -> TriageEnded:
    return TriageEnded(**_about(referral_id, revision, decision, False), reason="withdrawn")


def returned(referral_id: UUID, *, revision: int = 1, decision: int = 2) -> ReferralReturned:
    return ReferralReturned(
        **_about(referral_id, revision, decision, False),
        reason="other_service",
        next_step="refer_to_named_service",
        next_step_by=now() + timedelta(days=7),
        decided_by="dr-grey",
    )


def held(referral_id: UUID, *, revision: int = 1, decision: int = 2, holds: bool = True) -> ReviewRequested:
    return ReviewRequested(
        **_about(referral_id, revision, decision, False),
        reasons=(),
        urgency=Urgency.SOON,
        review_by=now() + timedelta(hours=4),
        holds=holds,
    )


@dataclass
class Stage:
    """`settle` runs what the service's loops would run, until there is nothing to do."""

    pool: Pool
    hours: Mapping[Urgency, float] = field(default_factory=lambda: HOURS)
    weights: Weights = field(default_factory=Weights)
    round_size: int = 50
    retry: timedelta = timedelta(minutes=15)
    network: Network = NOTHING_CHECKED
    matcher: Matcher = field(init=False)

    def __post_init__(self) -> None:
        self.matcher = self.another_matcher()

    def another_matcher(self) -> Matcher:
        return Matcher(
            pool=lambda: self.pool,
            policy=Policy(self.weights, waiting_share=0.2),
            hours=self.hours,
            round_size=self.round_size,
            retry=self.retry,
            committed=lambda: None,
        )

    async def roster(self, *entries: TherapistEntry) -> list[UUID]:
        """Add these; in the order given, their ids ascend."""
        made = {new_id(): one for one in entries}
        await self.keep(made)
        return list(made)

    async def keep(self, entries: Mapping[UUID, TherapistEntry]) -> RosterChanges:
        stated = {id_: one.stated() for id_, one in entries.items()}
        async with transaction(self.pool) as connection:
            return await roster_updates.update(connection, stated, now=now())

    async def receive(self, *facts: AnyFact) -> None:
        """As one batch of a subscription."""
        async with transaction(self.pool) as connection:
            await triage.handle(
                connection, facts, hours=self.hours, snapshot=self.matcher.snapshot, network=self.network
            )

    async def settle(self, matcher: Matcher | None = None) -> None:
        matcher = matcher or self.matcher
        async with asyncio.timeout(60):
            while any([await matcher.express(), await matcher.routine(), await offer_vacancies(matcher)]):
                pass

    async def expire(self) -> int:
        async with transaction(self.pool) as connection:
            return await expire_batch(connection, limit=100)

    async def accept(self, offer: Offer) -> Offer:
        async with transaction(self.pool) as connection:
            return await offer_responses.accept(connection, offer.id, COORDINATOR)

    async def decline(self, offer: Offer, reason: Decline = Decline.NO_AVAILABILITY) -> Offer:
        async with transaction(self.pool) as connection:
            return await offer_responses.decline(connection, offer.id, reason, COORDINATOR)

    async def published(self, kind: type[T], referral_id: UUID | None = None) -> list[T]:
        """The events of this type that were published, in their order."""
        rows = await self.pool.fetch("select body from outbox order by position")
        facts = [READER.validate_json(row["body"]) for row in rows]
        return [
            fact
            for fact in facts
            if isinstance(fact, kind) and referral_id in (None, getattr(fact, "referral_id", None))
        ]

    async def referral(self, referral_id: UUID) -> Referral:
        async with transaction(self.pool) as connection:
            found = await referrals.read(connection, referral_id)
        assert found is not None
        return found

    async def offers(self, referral_id: UUID) -> list[Offer]:
        async with transaction(self.pool) as connection:
            return await offer_store.of_referral(connection, referral_id)

    async def open_offer(self, referral_id: UUID) -> Offer:
        (found,) = [offer for offer in await self.offers(referral_id) if offer.state == "open"]
        return found

    async def assert_places_add_up(self) -> None:
        """Every place taken is held by exactly one offer, and nobody has more than they offered."""
        held = await self.pool.fetch("select therapist_id from offer where state in ('open', 'accepted')")
        counted = Counter(row["therapist_id"] for row in held)
        for row in await self.pool.fetch("select id, places_taken, places_ceiling from therapist"):
            assert row["places_taken"] == counted[row["id"]] <= row["places_ceiling"]
