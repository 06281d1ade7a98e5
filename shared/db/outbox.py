"""Publishing: an event is written beside the state that it tells of, in the same transaction.

`relay.py` sends it after the commit.
"""

from collections.abc import Sequence
from typing import Final

from shared.db.postgres import Connection
from shared.events import Fact, ReferralFact
from shared.telemetry import trace

PUBLISH: Final = """
    insert into outbox (event_id, type, lane, topic, key, body, occurred_at, traceparent)
    select event_id, type, lane, topic, key, body, occurred_at, traceparent
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[],
                $7::timestamptz[], $8::text[])
         with ordinality as fact (event_id, type, lane, topic, key, body, occurred_at, traceparent, place)
    order by place
"""

UNSEND: Final = """
    update outbox set sent_at = null where sent_at is not null and occurred_at >= $1
"""

ANY_UNSENT: Final = "select exists (select from outbox where sent_at is null)"

DEPTH: Final = """
    select lane, count(*) as depth, coalesce(extract(epoch from now() - min(occurred_at)), 0)::float8 as age
    from outbox where sent_at is null group by lane
"""


async def publish(connection: Connection, facts: Sequence[Fact]) -> None:
    """Say these, in this order, if and when the caller's transaction commits."""
    if facts:
        await connection.execute(
            PUBLISH,
            [fact.event_id for fact in facts],
            [fact.type for fact in facts],
            [fact.lane for fact in facts],
            [fact.topic for fact in facts],
            [fact.key for fact in facts],
            [fact.model_dump_json().encode() for fact in facts],
            [fact.occurred_at for fact in facts],
            [trace.cause_of(fact.referral_id if isinstance(fact, ReferralFact) else None) for fact in facts],
        )
