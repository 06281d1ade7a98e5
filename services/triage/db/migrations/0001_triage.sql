-- What triage knows of a referral: the newest revision it acted on and the newest decision it said.
-- A row with revision 0 is a place taken by whoever is about to decide.
create table referral (
    referral_id  uuid primary key,
    revision     integer not null default 0,
    decision     integer not null default 0,
    state        text not null check (state in ('new', 'triaged', 'held', 'returned', 'ended')),
    urgency      text,
    respond_by   timestamptz,
    express      boolean not null default false,
    region       text not null,
    clinic       text not null,
    "case"       jsonb,
    settled      jsonb not null default '[]',
    by_clinician boolean not null default false,
    changed_at   timestamptz not null default now()
);

-- Every decision as it was said, with its rules; never changed.
create table decision (
    referral_id uuid not null references referral,
    decision    integer not null,
    type        text not null,
    said_at     timestamptz not null,
    fact        jsonb not null,
    primary key (referral_id, decision)
);

-- What waits for a clinician. A row goes when a clinician has decided or the referral has ended.
create table review (
    referral_id uuid primary key references referral,
    urgency     text not null,
    review_by   timestamptz not null,
    holds       boolean not null,
    reasons     jsonb not null,
    opened_at   timestamptz not null
);

create index review_by_deadline on review (review_by, referral_id);
