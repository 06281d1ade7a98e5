"""The SQL of offers."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.matching.db.json_columns import criteria_of, criterion_json, runner_up_json, runners_up_of
from services.matching.domain.offers import Offer, OfferOutcome, OfferState
from shared.db.postgres import Connection, Record

COLUMNS: Final = """
    offer.id, offer.referral_id, offer.therapist_id, offer.attempt, offer.state, offer.offered_at,
    offer.expires_at, offer.answered_at, offer.reason, offer.score, offer.criteria, offer.runners_up,
    offer.eligible, offer.considered
"""

ADD: Final = """
    insert into offer (id, referral_id, therapist_id, attempt, state, offered_at, expires_at, score,
                       criteria, runners_up, eligible, considered)
    select id, referral_id, therapist_id, attempt, 'open', offered_at, expires_at, score,
           criteria::jsonb, runners_up::jsonb, eligible, considered
    from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::timestamptz[], $6::timestamptz[],
                $7::float8[], $8::int[], $9::int[], $10::text[], $11::text[])
         as new (id, referral_id, therapist_id, attempt, offered_at, expires_at, score,
                 eligible, considered, criteria, runners_up)
"""

READ: Final = f"""
    select {COLUMNS}, therapist.name as therapist_name
    from offer join therapist on therapist.id = therapist_id
"""

HOLDING: Final = f"""
    select {COLUMNS} from offer where referral_id = any($1::uuid[]) and state in ('open', 'accepted')
"""

# The ids in an array: a plan made while the tables were empty would look for them again for every offer. The
# state as an expression: by the index of open offers all of them would be read to find these.
EXPIRED: Final = f"""
    select {COLUMNS}, therapist.active as therapist_active
    from offer
    join referral on referral.id = offer.referral_id
    join therapist on therapist.id = offer.therapist_id
    where offer.state || '' = 'open' and offer.id = any(array(
        (select id from offer where state = 'open' and expires_at <= $1 order by expires_at limit $2)
        union all
        (select id from offer where state = 'open'
             and therapist_id = any(array(select id from therapist where not active)) limit $2)))
    limit $2
    for update of referral, offer skip locked
"""

SAVE_OUTCOMES: Final = """
    update offer
    set state = new.state, answered_at = $3, answered_by = $4, reason = new.reason
    from unnest($1::uuid[], $2::text[], $5::text[]) as new (id, state, reason)
    where offer.id = new.id
"""

EXPIRE_SOONER: Final = """
    update offer set expires_at = least(offer.expires_at, new.expires_at)
    from unnest($1::uuid[], $2::timestamptz[]) as new (referral_id, expires_at)
    where offer.referral_id = new.referral_id and state in ('open', 'accepted') and state || '' = 'open'
"""

PAGE: Final = f"""
    {READ} join referral on referral.id = referral_id
    where ($1::uuid is null or offer.id > $1) and ($2::text is null or offer.state = $2)
      and ($3::uuid is null or therapist_id = $3) and ($4::text is null or referral.clinic = $4)
      and ($5::uuid is null or referral_id = $5)
    order by offer.id limit $6
"""


def _offer(record: Record) -> Offer:
    values = dict(record)
    return Offer(
        **values
        | {
            "state": OfferState(values["state"]),
            "criteria": criteria_of(values["criteria"]),
            "runners_up": runners_up_of(values["runners_up"]),
        }
    )


async def add(connection: Connection, offers: Sequence[Offer]) -> None:
    names = "id referral_id therapist_id attempt offered_at expires_at score eligible considered"
    columns = [[getattr(offer, name) for offer in offers] for name in names.split()]
    columns.append([json.dumps([criterion_json(each) for each in offer.criteria]) for offer in offers])
    columns.append([json.dumps([runner_up_json(each) for each in offer.runners_up]) for offer in offers])
    await connection.execute(ADD, *columns)


async def read(connection: Connection, offer_id: UUID) -> Offer | None:
    record = await connection.fetchrow(f"{READ} where offer.id = $1", offer_id)
    return _offer(record) if record else None


async def of_referral(connection: Connection, referral_id: UUID) -> list[Offer]:
    """All that were ever made, in their order."""
    rows = await connection.fetch(f"{READ} where referral_id = $1 order by offer.id", referral_id)
    return [_offer(record) for record in rows]


async def holding(connection: Connection, referral_ids: Collection[UUID]) -> list[Offer]:
    """The offers through which these referrals hold a place."""
    return [_offer(record) for record in await connection.fetch(HOLDING, list(referral_ids))]


async def expired(connection: Connection, *, now: datetime, limit: int) -> list[Offer]:
    """Open offers past their time or of a therapist who left, locked with their referrals."""
    return [_offer(record) for record in await connection.fetch(EXPIRED, now, limit)]


async def save_outcomes(
    connection: Connection, outcomes: Sequence[OfferOutcome], *, now: datetime, by: str | None = None
) -> None:
    await connection.execute(
        SAVE_OUTCOMES,
        [outcome.offer.id for outcome in outcomes],
        [outcome.state for outcome in outcomes],
        now,
        by,
        [outcome.reason for outcome in outcomes],
    )


async def expire_sooner(connection: Connection, expiries: Sequence[tuple[UUID, datetime]]) -> None:
    """The open offer of each referral expires then, or earlier as before; nothing is put off."""
    await connection.execute(EXPIRE_SOONER, [r for r, _ in expiries], [at for _, at in expiries])


async def page(
    connection: Connection,
    *,
    after: UUID | None,
    state: str | None,
    therapist_id: UUID | None,
    clinic: str | None,
    referral_id: UUID | None,
    limit: int,
) -> list[Offer]:
    rows = await connection.fetch(PAGE, after, state, therapist_id, clinic, referral_id, limit)
    return [_offer(record) for record in rows]
