"""SQL of the checks that operators run on notify's tables; it only reads."""

from typing import Final

from shared.db.checks import Check

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

NOTIFIED_TWICE: Final = Check(
    "told twice of one fact",
    "select referral_id from notice group by referral_id, event_id, audience having count(*) > 1",
)

UNANSWERED: Final = Check(
    "nobody has answered to the top of the ladder",
    "select referral_id from unanswered_alert where past_ladder",
)

NO_OUTCOME: Final = Check(
    "acknowledged, no outcome was recorded in time, and it was not called again",
    "select referral_id from crisis_without_outcome where outcome_due_at < now() - make_interval(secs => $1)",
)
"""More than $1 seconds past its time."""

COUNT_OPEN_ALERTS: Final = "select count(*) from unanswered_alert where not past_ladder"

COUNT_AWAITING_OUTCOME: Final = "select count(*) from crisis_without_outcome"
