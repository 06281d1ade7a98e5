"""SQL of the checks that operators run on intake's tables; it only reads."""

from typing import Final

REFERRALS: Final = """
    select id, revision from referral where updated_at < now() - make_interval(secs => $1)
"""
"""Each referral not changed for $1 seconds: id, revision."""
