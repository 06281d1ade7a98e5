"""SQL of the checks that operators run on matching's tables; it only reads."""

from typing import Final

from shared.db.checks import Check

BEHIND: Final = """
    select id from unnest($1::uuid[], $2::integer[]) as known (id, decision)
    where not exists (select from referral r where r.id = known.id and r.decision >= known.decision)
"""
"""Of the referrals $1 with the decisions $2, each that matching does not know so far: id."""

DOUBLED: Final = (
    Check(
        "holds two places",
        "select referral_id from offer where state in ('open', 'accepted') group by referral_id "
        "having count(*) > 1",
    ),
    Check(
        "offered twice in one attempt",
        "select referral_id from offer group by referral_id, attempt having count(*) > 1",
    ),
)

DOUBLE_BOOKED: Final = Check(
    "more clients than places, or a count that is off",
    """
    select therapist.id from therapist
    left join (select therapist_id, count(*) as held from offer where state in ('open', 'accepted')
               group by therapist_id) as holding on holding.therapist_id = therapist.id
    where places_taken <> coalesce(held, 0) or coalesce(held, 0) > places_ceiling
    """,
)

CARE_ENDED: Final = """
    select id from referral where id = any($1::uuid[]) and state = 'closed' and closed_by = 'care'
"""
"""Of the referrals $1, those whose care has ended: id."""
