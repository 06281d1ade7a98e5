-- By which rules a referral was last decided, and each decision: a digest of policy, instruments and code. Null for
-- what was decided before these columns were there. The index counts those that other rules decided.
alter table referral add column rules_digest text;
alter table decision add column rules_digest text;

create index referral_rules_digest on referral (rules_digest) where state in ('triaged', 'held');
