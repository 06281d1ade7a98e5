-- Under which policy, and by which of its rules, a decision was made; null for a clinician's own and for what
-- was decided before these columns were there.
alter table decision
    add column policy         text,
    add column policy_version text,
    add column rules          text[];
