"""SQL of the checks that operators run on intake's tables; it only reads."""

from typing import Final

from shared.db.checks import Check

REFERRALS: Final = """
    select id, revision from referral where updated_at < now() - make_interval(secs => $1)
"""
"""Each referral not changed for $1 seconds: id, revision."""

DOUBLED: Final = (
    Check(
        "heard twice of one fact",
        "select referral_id from timeline group by referral_id, event_id having count(*) > 1",
    ),
    Check(
        "two referrals for one idempotency key",
        "select min(referral_id::text) from idempotency group by owner, key "
        "having count(distinct referral_id) > 1",
    ),
)

COUNT: Final = "select count(*) from referral"
