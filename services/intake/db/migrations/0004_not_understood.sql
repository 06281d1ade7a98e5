-- What came with a referral and nobody could read, sealed like the other columns of identity.
alter table referral add column not_understood bytea;
