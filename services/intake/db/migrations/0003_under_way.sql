-- What is under way, for counting by state and urgency and for finding what is past its time, from the index
-- alone.
create index referral_under_way on referral (state, urgency, due_by, created_at, id)
    where state not in ('returned', 'withdrawn', 'closed');
