"""SQL of the checks that operators run on notify's tables; it only reads."""

from typing import Final

NOT_ALERTED: Final = """
    select id from unnest($1::uuid[], $2::integer[]) as known (id, decision)
    where not exists (select from notice n where n.referral_id = known.id and n.is_alert)
"""
"""Of the referrals $1, each about which nobody was alerted: id. $2 has their decisions."""

NO_CLINICIAN_ALERTED: Final = """
    select id from unnest($1::uuid[], $2::integer[]) as known (id, decision)
    where not exists (select from notice n where n.referral_id = known.id and n.is_alert
                      and n.audience = 'clinician')
"""
"""Of the referrals $1, each about which no clinician was alerted: id. $2 has their decisions."""
