-- Whom to tell, what was to be told, and how far telling has come.

create table recipient (
    id         text primary key,
    audience   text not null check (audience in
                   ('psychiatrist', 'clinician', 'clinic', 'primary_care', 'therapist', 'coordinator', 'ops')),
    clinic     text,
    therapist  uuid,
    regions    text[] not null default '{}',
    active     boolean not null,
    updated_at timestamptz not null
);

create index recipient_clinic on recipient (clinic) where clinic is not null;
create index recipient_therapist on recipient (therapist) where therapist is not null;
create index recipient_of_regions on recipient (audience) where clinic is null and therapist is null;

-- `line` is the host that deliveries queue for. The secret is sealed when a key is set.
create table channel (
    recipient text not null references recipient,
    position  smallint not null,
    kind      text not null check (kind in ('webhook')),
    url       text not null,
    line      text not null,
    secret    bytea not null,
    primary key (recipient, position)
);

-- Shifts, and, without times, the fallback list.
create table duty (
    region    text not null,
    recipient text not null references recipient,
    place     integer not null,
    starts_at timestamptz,
    ends_at   timestamptz,
    check ((starts_at is null) = (ends_at is null)),
    check (ends_at > starts_at)
);

create index duty_region on duty (region);

-- The newest decision heard of each referral, so that an older one is not told after it; `told` is the
-- urgency that the referrer was told last, `over` whether they were told that it has ended.
create table referral (
    id       uuid primary key,
    decision integer not null default 0,
    urgency  text,
    told     text,
    over     boolean not null default false
);

-- One thing to be told to one audience. An alarm `answers` the alert that it is about.
create table notice (
    id           uuid primary key,
    event_id     uuid not null,
    audience     text not null,
    about        text not null,
    referral_id  uuid not null,
    revision     integer not null,
    decision     integer not null,
    clinic       text not null,
    region       text not null,
    therapist    uuid,
    urgency      text,
    lane         text not null,
    title        text not null,
    text         text not null,
    respond_by   timestamptz,
    occurred_at  timestamptz not null,
    created_at   timestamptz not null,
    is_alert     boolean not null,
    answers      uuid references notice,
    unaddressed  boolean not null,
    unique (event_id, audience)
);

create index notice_referral on notice (referral_id);
create index notice_answers on notice (answers) where answers is not null;
create index notice_unaddressed on notice (audience, id) where unaddressed;

-- How far up its ladder an alert is.
create table alert (
    notice_id       uuid primary key references notice,
    lane            text not null,
    step_length     interval not null,
    alarm_by        timestamptz not null,
    steps           integer not null,
    alarms          integer not null,
    alarmed_at      timestamptz,
    next_step_at    timestamptz not null,
    acknowledged_at timestamptz,
    acknowledged_by text,
    check ((acknowledged_at is null) = (acknowledged_by is null))
);

create index alert_due on alert (lane, next_step_at) where acknowledged_at is null;

-- One thing told to one recipient. Whoever takes it moves `next_attempt_at` past its own time limit, so that
-- no other takes it meanwhile and it comes back if that one dies. `failing`: the ladder does not wait for it.
-- `outcome` is of the last attempt, null while one is under way.
create table delivery (
    id              uuid primary key,
    notice_id       uuid not null references notice,
    recipient       text not null references recipient,
    channel         smallint not null,
    step            integer not null,
    lane            text not null,
    line            text not null,
    state           text not null default 'waiting'
                        check (state in ('waiting', 'delivered', 'undeliverable', 'ended')),
    attempts        integer not null default 0,
    failing         boolean not null default false,
    outcome         text,
    first_at        timestamptz not null,
    next_attempt_at timestamptz not null,
    delivered_at    timestamptz,
    unique (notice_id, recipient, step, channel)
);

create index delivery_waiting on delivery (lane, line, next_attempt_at) where state = 'waiting';
create index delivery_undeliverable on delivery (notice_id) where state = 'undeliverable';
create index delivery_recipient on delivery (recipient) where state = 'waiting';

-- Every alert that nobody has acknowledged; `past_ladder`: an alarm was given, or should have been.
create view unanswered_alert as
select notice.id as notice_id, notice.referral_id, notice.region, notice.audience, notice.urgency,
       notice.created_at as opened_at, alert.alarm_by, alert.alarms, alert.alarmed_at,
       (alert.alarms > 0 or alert.alarm_by <= now()) as past_ladder
from alert join notice on notice.id = alert.notice_id
where alert.acknowledged_at is null;

-- A notice as people see it.
create view notice_seen as
select notice.*, alert.alarm_by, coalesce(alert.alarms, 0) as alarms, alert.acknowledged_at,
       alert.acknowledged_by,
       case
           when alert.acknowledged_at is not null then 'acknowledged'
           when notice.is_alert then 'open'
           when notice.unaddressed then 'no_recipient'
           when exists (select from delivery d where d.notice_id = notice.id and d.state = 'waiting')
               then 'sending'
           when exists (select from delivery d where d.notice_id = notice.id and d.state = 'delivered')
               then 'sent'
           when exists (select from delivery d where d.notice_id = notice.id and d.state = 'undeliverable')
               then 'undeliverable'
           else 'ended'
       end as state
from notice left join alert on alert.notice_id = notice.id;
