-- Where few are thought to wait, any index of what waits looks as good as any other. So `delivery_waiting` is the
-- only one that answers to state = 'waiting'; this one is asked for in its own words.
drop index delivery_recipient;
create index delivery_of_recipient on delivery (recipient) where starts_with(state, 'waiting');
