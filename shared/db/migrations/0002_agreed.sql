-- What this service decides by and others must decide by too, such as the digest of a file of clinical data.
-- A running process writes its values again and again, so that a replica of another version is seen.
create table agreed (
    name    text not null,
    value   text not null,
    seen_at timestamptz not null default now(),
    primary key (name, value)
);
