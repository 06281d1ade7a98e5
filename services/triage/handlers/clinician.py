"""What a clinician does with a review: decide, claim, release. Each raises a `Refusal` where it may not."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from services.triage.case_mapping import charts_of
from services.triage.db import referrals, reviews
from services.triage.domain import clinician_decision
from services.triage.domain.claim import Claim, claim_review, refuse_if_another
from services.triage.domain.clinician_decision import Command
from services.triage.domain.policy import Policy
from services.triage.domain.refusal import Unknown
from services.triage.domain.state import Review, TriageState
from services.triage.outgoing_events import decision_of
from shared.db import outbox
from shared.db.postgres import Connection, Pool, transaction


async def decide(
    pool: Pool,
    referral_id: UUID,
    command: Command,
    policy: Policy,
    *,
    by: str,
    now: datetime,
    committed: Callable[[], None],
) -> TriageState:
    """Confirms, raises, lowers, returns, or asks the referrer. Also raises where newer rules have raised it:
    their decision is saved and published then, and the clinician's is not."""
    async with transaction(pool) as connection:
        referral = await referrals.load_one(connection, referral_id)
        if referral is None:
            raise Unknown("referral")
        charts = charts_of(referral.case) if referral.case else None
        outcome = clinician_decision.decide(command, referral.state, charts, policy, by=by, now=now)
        decision = decision_of(outcome, referral.case, policy, now=now)
        await referrals.save(connection, [decision])
        await outbox.publish(connection, decision.events)
    committed()
    if outcome.refusal:
        raise outcome.refusal
    return outcome.state


async def claim(pool: Pool, referral_id: UUID, policy: Policy, *, by: str, now: datetime) -> Claim:
    async with transaction(pool) as connection:
        review = await _load(connection, referral_id)
        claim = claim_review(review.claim, review.urgency, policy, by=by, now=now)
        await reviews.save_claim(connection, referral_id, claim)
    return claim


async def release(pool: Pool, referral_id: UUID, *, by: str, for_anybody: bool, now: datetime) -> None:
    async with transaction(pool) as connection:
        review = await _load(connection, referral_id)
        if not for_anybody:
            refuse_if_another(review.claim, by=by, now=now)
        await reviews.save_claim(connection, referral_id, None)


async def _load(connection: Connection, referral_id: UUID) -> Review:
    """Locked by its referral."""
    await referrals.lock(connection, [referral_id])
    review = await reviews.load(connection, referral_id)
    if review is None:
        raise Unknown("review")
    return review
