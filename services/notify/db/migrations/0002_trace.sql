-- The trace under which a notice was decided on, so that its deliveries, however late, belong to it.
alter table notice add column traceparent text;
