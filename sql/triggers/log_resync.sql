-- Tells the subscribers of a table that it may have changed in ways no trigger tells, and why.
create or replace function rowcast.log_resync(table_name text, reason text) returns void
language plpgsql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  s record;
begin
  select t.lock_class, t.lock_key into strict s from rowcast.settings t;
  insert into rowcast.change_log (call, table_name, op, event)
  values (nextval('rowcast.change_log_id'), table_name, 'RESYNC', reason);
  if (case when pg_try_advisory_lock_shared(s.lock_class, s.lock_key)
           then pg_advisory_unlock_shared(s.lock_class, s.lock_key) else false end)
     and pg_notification_queue_usage() < 0.5 then
    perform pg_notify('rowcast', format('{"table":%s,"op":"RESYNC"}', to_json(table_name)));
  end if;
end
$$;
comment on function rowcast.log_resync(text, text) is 'internal: logs that a table must be read again';
