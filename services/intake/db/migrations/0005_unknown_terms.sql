-- What the sender wrote where the network knows no such region, payer or community. Sealed; it never travels.
alter table referral add column unknown_terms bytea;
