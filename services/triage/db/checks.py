"""SQL of the checks that operators run on triage's tables; it only reads."""

from typing import Final

DECIDED_CASES: Final = """
    select referral_id, "case"::text as "case", changed_at from referral
    where "case" is not null and state in ('triaged', 'held') and changed_at >= $1
    order by changed_at, referral_id
"""
"""The newest case of each referral triaged or held since $1: referral_id, case (JSON text), changed_at."""
