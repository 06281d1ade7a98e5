"""SQL for what clinicians made of each rule."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.db.postgres import Connection

RATES: Final = """
    with fired as (
        select rule, policy, policy_version, count(distinct referral_id) as fired
        from decision cross join unnest(rules) as rule
        where rules is not null and said_at >= $1
        group by rule, policy, policy_version
    ),
    answered as (
        select rule, basis.policy, basis.policy_version,
               count(*) filter (where action = 'confirm') as confirmed,
               count(*) filter (where action = 'raise') as raised,
               count(*) filter (where action = 'lower') as lowered,
               count(*) filter (where action = 'return') as returned,
               count(*) filter (where action = 'ask') as asked
        from decision as answer
        cross join lateral (
            select coalesce(answer.fact ->> 'action', case answer.type
                when 'ReferralReturned' then 'return' when 'InformationRequested' then 'ask' end) as action
        ) as word
        cross join lateral (
            select policy, policy_version, rules from decision as basis
            where basis.referral_id = answer.referral_id and basis.decision < answer.decision
              and basis.rules is not null
            order by basis.decision desc limit 1
        ) as basis
        cross join unnest(basis.rules) as rule
        where answer.fact ->> 'decided_by' is not null and answer.said_at >= $1
        group by rule, basis.policy, basis.policy_version
    )
    select rule, policy, policy_version, coalesce(fired, 0) as fired, coalesce(confirmed, 0) as confirmed,
           coalesce(raised, 0) as raised, coalesce(lowered, 0) as lowered,
           coalesce(returned, 0) as returned, coalesce(asked, 0) as asked
    from fired full join answered using (rule, policy, policy_version)
    order by policy, policy_version desc, fired desc, rule
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRate:
    """On how many referrals a rule fired, and what clinicians decided where it had."""

    rule: str
    policy: str
    policy_version: str
    fired: int
    confirmed: int
    raised: int
    lowered: int
    returned: int
    asked: int


async def rates(connection: Connection, *, since: datetime) -> list[RuleRate]:
    """By policy version and rule; a clinician's decision counts for the rules it was made about."""
    return [RuleRate(**dict(row)) for row in await connection.fetch(RATES, since)]
