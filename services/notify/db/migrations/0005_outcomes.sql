-- An acknowledged crisis has an outcome with a clock; `settled_at`: nothing more is expected of whoever
-- acknowledged. What is there already is settled, without a clock. `taken_over`: by somebody whom it was not for.
alter table alert
    add column taken_over     text,
    add column outcome        text check (outcome in ('reached', 'handed_to_emergency_services', 'not_reached', 'missed')),
    add column outcome_by     text,
    add column outcome_at     timestamptz,
    add column outcome_due_at timestamptz,
    add column settled_at     timestamptz default now();

alter table alert alter column settled_at drop default;

create index alert_outcome_due on alert (outcome_due_at) where outcome_due_at is not null and settled_at is null;

-- What psychiatrist and primary care were told of their part, and the newest revision that called psychiatrist
-- and clinician, so that no request calls them twice.
alter table referral
    add column psychiatrist_told     text,
    add column primary_care_told     text,
    add column psychiatrist_revision integer not null default 0,
    add column clinician_revision    integer not null default 0;

-- Crises that somebody has acknowledged and whose outcome nobody has recorded yet.
create view crisis_without_outcome as
select notice.id as notice_id, notice.referral_id, notice.region, notice.urgency, alert.acknowledged_at,
       alert.acknowledged_by, alert.outcome_due_at
from alert join notice on notice.id = alert.notice_id
where alert.outcome_due_at is not null and alert.settled_at is null;

drop view notice_seen;
create view notice_seen as
select notice.*, alert.alarm_by, coalesce(alert.alarms, 0) as alarms, alert.acknowledged_at,
       alert.acknowledged_by, alert.taken_over, alert.outcome, alert.outcome_at, alert.outcome_by,
       alert.outcome_due_at, alert.settled_at,
       case
           when alert.acknowledged_at is not null then 'acknowledged'
           when notice.is_alert then 'open'
           when notice.unaddressed then 'no_recipient'
           when exists (select from delivery d where d.notice_id = notice.id and d.state = 'waiting')
               then 'sending'
           when exists (select from delivery d where d.notice_id = notice.id and d.state = 'delivered')
               then 'sent'
           when exists (select from delivery d where d.notice_id = notice.id and d.state = 'undeliverable')
               then 'undeliverable'
           else 'ended'
       end as state
from notice left join alert on alert.notice_id = notice.id;
