-- Who was referred, sealed; what routing needs, coded; where it stands.
create table referral (
    id               uuid primary key,
    clinic           text not null,
    region           text not null,
    revision         integer not null,
    express          boolean not null,
    -- The fold of the timeline: see progress.py.
    state            text not null,
    urgency          text,
    due_by           timestamptz,
    reason           text,
    next_step        text,
    -- shared.events.Case
    routing          jsonb not null,
    -- Each sealed by itself: see cipher.py.
    name             bytea not null,
    birth_date       bytea,
    contact          bytea,
    self_description bytea,
    guardian         bytea,
    referrer         bytea,
    primary_care     bytea,
    words            bytea,
    key_id           text not null,
    created_at       timestamptz not null,
    updated_at       timestamptz not null
);

create index referral_of_clinic on referral (clinic, updated_at, id);
create index referral_updated on referral (updated_at, id);
create index referral_key on referral (key_id, id);

-- Every fact known of a referral, of all four services, in the order in which it became known.
create table timeline (
    referral_id uuid not null references referral,
    position    bigint generated always as identity,
    event_id    uuid not null,
    fact        jsonb not null,
    primary key (referral_id, position)
);

create unique index timeline_event on timeline (referral_id, event_id);

-- The answer that a key was given. The primary key is what makes fifty retries at once one referral.
create table idempotency (
    owner       text not null,
    key         text not null,
    fingerprint bytea not null,
    key_id      text not null,
    status      integer not null,
    answer      bytea not null,
    referral_id uuid not null,
    created_at  timestamptz not null default now(),
    primary key (owner, key)
);

create index idempotency_created_at on idempotency using brin (created_at);

-- Who has read who somebody is.
create table identity_access (
    referral_id uuid not null references referral,
    read_at     timestamptz not null default now(),
    subject     text not null,
    role        text not null,
    clinic      text
);

create index identity_access_referral on identity_access (referral_id, read_at);
