-- Worklists of the staff ask by state.
create index referral_by_state on referral (state, updated_at, id);
