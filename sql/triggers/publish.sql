-- Publishes a message to the subscribers of a channel, in the same log and order as the changes of this transaction.
--   channel  up to 200 characters, e.g. 'room:42'
--   event    up to 200 characters, e.g. 'typing'
--   payload  any json up to settings.max_row bytes
-- Belongs to rowcast_capture: it may insert into the log and read the lock's key, nothing else.
create or replace function rowcast.publish(channel text, event text, payload json default null) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  s record;
begin
  if channel is null or channel !~ '^[^[:cntrl:]]{1,200}$' then
    raise exception 'channel must be 1 to 200 printable characters, not %', coalesce(to_json(left(channel, 210))::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'Put what is long or binary into the payload.';
  end if;
  if event is null or event !~ '^[^[:cntrl:]]{1,200}$' then
    raise exception 'event must be 1 to 200 printable characters, not %', coalesce(to_json(left(event, 210))::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'Put what is long or binary into the payload.';
  end if;
  select t.lock_class, t.lock_key, t.max_row into strict s from rowcast.settings t;
  if octet_length(payload::text) > s.max_row then
    raise exception 'the payload has % bytes, more than max_row (%)', octet_length(payload::text), s.max_row
      using errcode = 'program_limit_exceeded', hint = 'Store it in a table, and publish its key.';
  end if;

  insert into rowcast.change_log (call, op, channel, event, new)
  values (nextval('rowcast.change_log_id'), 'MESSAGE', channel, event, payload);
  -- The doorbell, as in the triggers: after the log is written, only where no bridge is awake.
  if (case when pg_try_advisory_lock_shared(s.lock_class, s.lock_key)
           then pg_advisory_unlock_shared(s.lock_class, s.lock_key) else false end)
     and pg_notification_queue_usage() < 0.5 then
    perform pg_notify('rowcast', format('{"channel":%s,"op":"MESSAGE"}', to_json(channel)));
  end if;
end
$$;
comment on function rowcast.publish(text, text, json) is 'publishes a message to a channel''s subscribers';
