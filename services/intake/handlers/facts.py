"""What other services publish about a referral: kept in its timeline, and its state follows."""

from collections.abc import Sequence
from typing import Final

from services.intake.db import referrals
from services.intake.db.timeline import kept
from services.intake.domain.progress import MOVES_NOTHING, progress
from services.intake.domain.timeline import heard
from services.intake.handlers import reached_times
from shared.db import inbox
from shared.db.postgres import Connection
from shared.errors import Permanent
from shared.events import AnyFact, ReferralFact, Topic
from shared.ids import now

FOLLOWED: Final = {
    Topic.TRIAGE_DECISIONS: "intake-triage",
    Topic.TRIAGE_EXPRESS: "intake-triage-express",
    Topic.MATCHING_ASSIGNMENTS: "intake-matching",
    Topic.NOTIFY_NOTICES: "intake-notices",
}
"""The topics, each with its consumer group."""


async def handle(connection: Connection, facts: Sequence[AnyFact], *, group: str) -> None:
    """Claim, load, decide, save. It publishes nothing: the state of a referral is intake's own."""
    fresh = await inbox.claim(connection, group, [fact for fact in facts if isinstance(fact, ReferralFact)])
    about = {fact.referral_id for fact in fresh}
    if about - await referrals.lock(connection, list(about)):
        raise Permanent("unknown_referral")
    moving = [fact for fact in fresh if fact.type not in MOVES_NOTHING]
    known = await referrals.timelines(connection, list({fact.referral_id for fact in moving}))
    for fact in moving:
        known[fact.referral_id].append(kept(fact))
    reached = {referral_id: progress(map(heard, told)) for referral_id, told in known.items()}
    await referrals.tell(connection, fresh)
    await referrals.save_progress(connection, reached, now=now())
    reached_times.measure(known, moving, reached)
