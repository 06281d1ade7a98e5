-- When time alone next brings something: the review is said to be overdue, and said again until it is decided.
alter table review
    add column due_at     timestamptz,
    add column overdue_at timestamptz;
update review set due_at = review_by;
alter table review alter column due_at set not null;

create index review_due on review (due_at);
