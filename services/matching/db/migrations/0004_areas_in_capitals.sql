-- `ot-03` and `OT-03` are the same postal area. Of two, the one that was given last stays.
delete from area older using area newer
where upper(older.code) = upper(newer.code) and older.code <> newer.code
  and (newer.changed, newer.code) > (older.changed, older.code);
update area set code = upper(code), changed = this_change() where code <> upper(code);

insert into vacancy (therapist_id, entry) select id, true from therapist where area <> upper(area);
update therapist
set area = upper(area), version = version + 1, entry = jsonb_set(entry, '{area}', to_jsonb(upper(area))),
    changed = this_change()
where area <> upper(area);

update referral
set needs = jsonb_set(needs, '{area}', to_jsonb(upper(needs ->> 'area'))),
    try_at = case when state = 'waiting' then now() else try_at end
where state <> 'closed' and needs ->> 'area' <> upper(needs ->> 'area');
