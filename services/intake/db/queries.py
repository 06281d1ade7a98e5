"""Intake's SQL."""

from typing import Final

from services.intake.domain.identity import SEALED
from services.intake.domain.status import State

_SEALED: Final = ", ".join(SEALED)
_SEALED_ARRAYS: Final = ", ".join(f"${place}::bytea[]" for place in range(13, 13 + len(SEALED)))

ACCEPT: Final = f"""
    with item as (
        select * from unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::text[], $6::uuid[],
                             $7::text[], $8::text[], $9::text[], $10::bytea[], $11::bytea[], $12::text[],
                             {_SEALED_ARRAYS})
            as item (id, clinic, region, express, routing, event_id, fact, owner, key, fingerprint, answer,
                     key_id, {_SEALED})
    ), claimed as (
        insert into idempotency (owner, key, fingerprint, key_id, status, answer, referral_id)
        select owner, key, fingerprint, key_id, 202, answer, id
        from item where key is not null order by owner, key
        on conflict do nothing
        returning referral_id
    ), taken as (
        select item.* from item where key is null or id in (select referral_id from claimed)
    ), stored as (
        insert into referral (id, clinic, region, revision, express, state, routing, key_id,
                              created_at, updated_at, {_SEALED})
        select id, clinic, region, 1, express, '{State.RECEIVED}', routing::jsonb, key_id,
               ${13 + len(SEALED)}, ${13 + len(SEALED)}, {_SEALED}
        from taken
    ), told as (
        insert into timeline (referral_id, event_id, fact)
        select id, event_id, fact::jsonb from taken
    )
    select id from taken
"""

REMEMBERED: Final = """
    select owner, key, fingerprint, key_id, status, answer, referral_id
    from idempotency
    where (owner, key) in (select * from unnest($1::text[], $2::text[]))
"""

CLAIM_KEY: Final = """
    insert into idempotency (owner, key, fingerprint, key_id, status, answer, referral_id)
    values ($1, $2, $3, $4, 0, '', $5)
    on conflict do nothing
    returning true
"""

ANSWER_KEY: Final = """
    update idempotency set status = $3, answer = $4 where owner = $1 and key = $2
"""

FORGET_KEYS: Final = """
    delete from idempotency where created_at < now() - make_interval(days => $1)
"""

_WHOLE: Final = f"""
    select id, clinic, region, revision, express, state, urgency, due_by, reason, next_step, routing, key_id,
           created_at, updated_at, {_SEALED},
           (select coalesce(jsonb_agg(fact order by position), '[]')
            from timeline where referral_id = referral.id) as facts
    from referral
"""

READ: Final = f"{_WHOLE} where id = $1"

LOCK: Final = "select id from referral where id = any($1) order by id for update"

TIMELINES: Final = """
    select referral_id, fact from timeline where referral_id = any($1)
"""

TELL: Final = """
    insert into timeline (referral_id, event_id, fact)
    select referral_id, event_id, fact::jsonb
    from unnest($1::uuid[], $2::uuid[], $3::text[]) as told (referral_id, event_id, fact)
    on conflict do nothing
"""

SAVE_PROGRESS: Final = """
    update referral
    set state = now.state, urgency = now.urgency, due_by = now.due_by, reason = now.reason,
        next_step = now.next_step, updated_at = $7
    from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[])
        as now (id, state, urgency, due_by, reason, next_step)
    where referral.id = now.id
"""

CHANGE: Final = f"""
    update referral
    set revision = $2, region = $3, express = $4, routing = $5::text::jsonb, key_id = $6,
        ({_SEALED}) = row ({", ".join(f"${7 + place}::bytea" for place in range(len(SEALED)))})
    where id = $1
"""

NEWS: Final = """
    select listening.place - 1 as place, position, fact,
           state, urgency, due_by, reason, next_step, revision, express
    from unnest($1::uuid[], $2::bigint[]) with ordinality as listening (id, after, place)
    join referral on referral.id = listening.id
    left join lateral (
        select position, fact from timeline
        where referral_id = referral.id and position > listening.after order by position limit 200
    ) as new on true
    where position is not null or state = any($3)
    order by listening.place, position
"""

LIST: Final = """
    select id, clinic, region, revision, express, state, urgency, due_by, reason, next_step,
           created_at, updated_at
    from referral
    where ($1::text is null or clinic = $1) and ($2::text is null or state = $2)
      and ($3::timestamptz is null or updated_at >= $3)
      and ($4::timestamptz is null or (updated_at, id) > ($4, $5::uuid))
    order by updated_at, id
    limit $6
"""

SEALED_UNDER_OTHERS: Final = f"""
    select id, key_id, {_SEALED} from referral
    where key_id <> $1 order by id limit $2 for update
"""

SEAL_AGAIN: Final = f"""
    update referral set key_id = $1, ({_SEALED}) = row ({", ".join(f"again.{c}" for c in SEALED)})
    from unnest($2::uuid[], {", ".join(f"${3 + place}::bytea[]" for place in range(len(SEALED)))})
        as again (id, {_SEALED})
    where referral.id = again.id
"""

NOTE_ACCESS: Final = """
    insert into identity_access (referral_id, subject, role, clinic) values ($1, $2, $3, $4)
"""

_UNDER_WAY: Final = "state not in ('returned', 'withdrawn', 'closed')"

UNDER_WAY: Final = f"""
    select state, urgency, count(*) as count from referral where {_UNDER_WAY} group by state, urgency
"""

MISSED: Final = f"""
    select coalesce(urgency, 'none') as urgency, count(*) as count
    from (select id, urgency, state from referral
          where {_UNDER_WAY} and due_by < now()
            and state in ('received', 'in_review', 'triaged', 'waitlisted', 'offered', 'crisis_handover')
          limit 5000) as late
    where state = '{State.CRISIS_HANDOVER}' or not exists (
        select from timeline as answer
        where referral_id = late.id and fact->>'type' = 'NoticeAcknowledged'
          and fact->>'audience' = any($1::text[])
          and not exists (
            select from timeline as again
            where again.referral_id = late.id and again.fact ? 'restates'
              and (again.fact->>'revision')::int > (answer.fact->>'revision')::int
              and (again.fact->>'occurred_at')::timestamptz > (answer.fact->>'occurred_at')::timestamptz))
    group by 1
"""

OLDEST_UNTRIAGED: Final = f"""
    select coalesce(extract(epoch from now() - min(created_at)), 0)::float8 from referral
    where {_UNDER_WAY} and state = 'received'
"""
