-- Asked again: `asks_for` is what the newest answers by themselves would ask for; `waiting_since` counts from the
-- first decision, or from when a person last looked; `taken_on` by a therapist, as matching says.
alter table referral
    add column asks_for      text,
    add column waiting_since timestamptz,
    add column taken_on      boolean not null default false;
update referral set waiting_since = changed_at where state in ('triaged', 'held');

create index referral_waiting on referral (urgency, waiting_since) where state = 'triaged' and not taken_on;
