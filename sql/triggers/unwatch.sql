-- Ends a watch: drops the triggers and their function. What is logged stays until retention removes it.
-- Says whether the table was watched.
create or replace function rowcast.unwatch(target regclass) returns boolean
language plpgsql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  w        rowcast.watch_list;
  began    constant timestamptz := clock_timestamp();
  patience constant text := current_setting('lock_timeout');
begin
  perform pg_advisory_xact_lock(lock_class, lock_key + 2) from rowcast.settings;
  select * into w from rowcast.watch_list l where l.relid = target;
  if not found then
    return false;
  end if;
  loop
    begin
      perform set_config('lock_timeout', '50ms', true);
      -- Not only where they should be: a detached partition keeps its triggers.
      perform rowcast.triggers_detach(t.tgrelid)
      from (select distinct tgrelid from pg_trigger
            where tgfoid = to_regproc(format('rowcast.%I', 'capture_' || w.id)) and not tgisinternal) t;
      exit;
    exception when lock_not_available then
      if clock_timestamp() > began + interval '30 seconds' then
        raise exception 'could not get a lock on % within 30 s', w.table_name using errcode = 'lock_not_available',
          hint = 'A long transaction uses the table (see pg_locks and pg_stat_activity); try again when it has ended.';
      end if;
      perform pg_sleep(0.05 + 0.2 * random());
    end;
  end loop;
  perform set_config('lock_timeout', patience, true);
  perform rowcast.forget_watch(w);
  return true;
end
$$;
comment on function rowcast.unwatch(regclass) is 'ends the capture of a table''s changes';

-- Removes what a watch has left when its triggers are gone.
create or replace function rowcast.forget_watch(w rowcast.watch_list) returns void
language plpgsql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('drop function if exists rowcast.%I()', 'capture_' || w.id);
  delete from rowcast.watch_list l where l.id = w.id;
end
$$;
comment on function rowcast.forget_watch(rowcast.watch_list) is 'internal: removes a watch''s function and entry';
