"""Offer what came free to the waitlist, the most urgent first, until it is taken or of no use to anybody."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.matching.db import places, referrals, therapists
from services.matching.jobs.rounds import Matcher
from shared.db.postgres import transaction

AT_ONCE: Final = 10_000
"""Such as after a roster was imported."""


async def offer_vacancies(matcher: Matcher) -> bool:
    """Whether there were any."""
    async with transaction(matcher.pool()) as connection:
        found = await places.vacancies(connection, limit=AT_ONCE)
        if not found:
            return False
        regions = await therapists.reached_by(connection, found.therapist_ids)
        ids = await referrals.pool(connection, regions, everyone=found.entry)
    for start in range(0, len(ids), matcher.round_size):
        if not await _round(matcher, ids[start : start + matcher.round_size], found.therapist_ids):
            break
    async with transaction(matcher.pool()) as connection:
        await places.delete_vacancies(connection, found.ids)
    return True


async def _round(matcher: Matcher, ids: Sequence[UUID], therapist_ids: Sequence[UUID]) -> bool:
    """False when none of these therapists has a place any more."""
    async with transaction(matcher.pool()) as connection:
        await matcher.snapshot.refresh(connection)
        roster = matcher.snapshot.roster
        if not (roster.free[roster.rows(therapist_ids)] > 0).any():
            return False
        waiting = await referrals.still_waiting(connection, ids)
        await matcher.match(connection, waiting, put_off=False)
    matcher.committed()
    return True
