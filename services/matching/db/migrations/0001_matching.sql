-- Who could help, who waits, and who was offered whom.

-- Every change of a place or an entry carries the transaction it was made in, so that a reader who
-- remembers the oldest transaction then under way misses nothing and rereads little.
create function this_change() returns bigint language sql volatile
    as 'select pg_current_xact_id()::text::bigint';

-- Centres of areas in degrees, for distances.
create table area (
    code      text primary key,
    latitude  double precision not null,
    longitude double precision not null,
    changed   bigint not null default this_change()
);

create index area_changed on area (changed);

-- `reaches` are the regions whose clients the therapist can see, in person or by telehealth. No more places
-- are ever taken than `places_ceiling`: those there are, or, after they were made fewer, those taken before.
create table therapist (
    id             uuid primary key,
    version        integer not null,
    name           text not null,
    region         text not null,
    area           text,
    active         boolean not null,
    reaches        text[] not null,
    entry          jsonb not null,
    places_total   integer not null check (places_total >= 0),
    places_taken   integer not null default 0,
    places_ceiling integer not null,
    changed        bigint not null default this_change(),
    check (places_taken between 0 and places_ceiling)
);

create index therapist_changed on therapist (changed);
create index therapist_area on therapist (area);
create index therapist_gone on therapist (id) where not active;

-- `needs` is null for a referral of which matching knows no more than that an older decision is not to be
-- acted on. `target` is the time its urgency allows, from which waiting is measured.
create table referral (
    id             uuid primary key,
    clinic         text not null,
    region         text not null,
    revision       integer not null,
    decision       integer not null,
    state          text not null
                   check (state in ('waiting', 'held', 'offered', 'accepted', 'booked', 'closed')),
    held           boolean not null default false,
    closed_by      text check (closed_by in ('triage', 'care')),
    closed_reason  text,
    express        boolean not null,
    urgency        text,
    waiting_since  timestamptz,
    target         interval,
    needs          jsonb,
    declined       uuid[] not null default '{}',
    level          smallint not null default 0,
    try_at         timestamptz,
    reason         text,
    eligible       integer,
    relaxations    jsonb,
    attempt        integer not null default 0,
    appointment_at timestamptz,
    traceparent    text
);

create index referral_due on referral (express, level desc, try_at) where state = 'waiting';
create index referral_pool on referral (region, level desc, waiting_since) where state = 'waiting';
create index referral_waitlist on referral ((-level), waiting_since, id) where state in ('waiting', 'held');

-- A place is held by every offer that is open or accepted. `runners_up` keeps who else was considered.
create table offer (
    id           uuid primary key,
    referral_id  uuid not null references referral,
    therapist_id uuid not null references therapist,
    attempt      integer not null,
    state        text not null
                 check (state in ('open', 'accepted', 'declined', 'expired', 'released', 'ended')),
    offered_at   timestamptz not null,
    expires_at   timestamptz not null,
    answered_at  timestamptz,
    answered_by  text,
    reason       text,
    score        double precision not null,
    criteria     jsonb not null,
    runners_up   jsonb not null,
    eligible     integer not null,
    considered   integer not null
);

-- A referral holds one place at most, and no therapist is asked twice for the same client.
create unique index offer_one_place on offer (referral_id) where state in ('open', 'accepted');
create unique index offer_never_twice on offer (referral_id, therapist_id) where state <> 'released';
create index offer_expiry on offer (expires_at) where state = 'open';
create index offer_holding on offer (therapist_id) where state in ('open', 'accepted');

-- A place came free, or (`entry`) a therapist's entry changed: somebody who waits may be helped.
create table vacancy (
    id           bigint generated always as identity primary key,
    therapist_id uuid not null,
    entry        boolean not null
);
