-- What a clinician has asked the referrer, by whom and when, and the reminders still to come. The review waits
-- for the answer until `review_by`.
alter table review add column asked jsonb;
