"""SQL of the checks that operators run on triage's tables; it only reads."""

from typing import Final

from shared.db.checks import Check

DECIDED_CASES: Final = """
    select referral_id, "case"::text as "case", changed_at from referral
    where "case" is not null and state in ('triaged', 'held') and changed_at >= $1
    order by changed_at, referral_id
"""
"""The newest case of each referral triaged or held since $1: referral_id, case (JSON text), changed_at."""

BEHIND: Final = """
    select id from unnest($1::uuid[], $2::integer[]) as known (id, revision)
    where not exists (select from referral r where r.referral_id = known.id and r.revision >= known.revision)
"""
"""Of the referrals $1 with the revisions $2, each that triage does not know so far: id."""

DECIDED: Final = """
    select referral_id as id, said.decision as revision from referral join lateral (
        select max(decision) as decision from decision
        where decision.referral_id = referral.referral_id
          and type in ('ReferralTriaged', 'ReferralReturned', 'TriageEnded')
    ) as said on said.decision is not null
    where state in ('triaged', 'returned', 'ended') and changed_at < now() - make_interval(secs => $1)
"""
"""Each referral decided more than $1 seconds ago: id, and its last decision as revision."""

CRISES: Final = """
    select referral_id as id, decision as revision from referral
    where state = 'triaged' and urgency in ('emergency', 'very_urgent')
      and changed_at < now() - make_interval(secs => $1)
"""
"""Each triaged referral that cannot wait, after $1 seconds: id, and its decision as revision."""

OVERDUE: Final = """
    select referral_id as id, decision as revision from review join referral using (referral_id)
    where overdue_at < now() - make_interval(secs => $1)
"""
"""Each review overdue for more than $1 seconds: id of the referral, and its decision as revision."""

DECIDED_TWICE: Final = Check(
    "decided twice by the same rules for one revision",
    "select referral_id from decision where type = 'ReferralTriaged' and fact->>'decided_by' is null "
    "group by referral_id, fact->>'revision', rules_digest having count(*) > 1",
)

OVERDUE_NOT_PUBLISHED: Final = Check(
    "its review is past its time, and that was not said",
    "select referral_id from review where due_at < now() - make_interval(secs => $1 + 10)",
)
"""More than $1 and ten seconds past."""
