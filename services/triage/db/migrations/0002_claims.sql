-- Who has taken a review, and until when nobody else decides it.
alter table review
    add column claimed_by    text,
    add column claimed_until timestamptz,
    add constraint review_claim_is_whole check ((claimed_by is null) = (claimed_until is null));
