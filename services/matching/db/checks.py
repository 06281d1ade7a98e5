"""SQL of the checks that operators run on matching's tables; it only reads."""

from typing import Final

BEHIND: Final = """
    select id from unnest($1::uuid[], $2::integer[]) as known (id, decision)
    where not exists (select from referral r where r.id = known.id and r.decision >= known.decision)
"""
"""Of the referrals $1 with the decisions $2, each that matching does not know so far: id."""
