-- What every service's database holds besides its own tables.

-- Facts to be sent, and those sent, kept for replay. A day's partition is dropped whole.
create table outbox (
    position    bigint generated always as identity,
    day         date not null default (now() at time zone 'utc')::date,
    event_id    uuid not null,
    type        text not null,
    lane        text not null,
    topic       text not null,
    key         text not null,
    body        bytea not null,
    occurred_at timestamptz not null,
    traceparent text,
    sent_at     timestamptz,
    primary key (day, position)
) partition by range (day);

create table outbox_default partition of outbox default;

create index outbox_unsent on outbox (lane, position) where sent_at is null;

-- Facts already acted on. The primary key is what makes a second delivery do nothing.
create table inbox (
    consumer   text not null,
    event_id   uuid not null,
    claimed_at timestamptz not null default now(),
    primary key (consumer, event_id)
);

create index inbox_claimed_at on inbox using brin (claimed_at);
