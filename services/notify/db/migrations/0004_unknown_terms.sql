-- Parts of a referral that the network does not know, such as its region, about which a coordinator was asked.
alter table referral add column terms text[] not null default '{}';
