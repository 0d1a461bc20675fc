-- Removes rowcast from the current database without a trace:  psql -f uninstall.sql
-- Plain SQL. Waits for each lock only briefly, so that writers never queue; run it again where it gives up.
begin;
set local lock_timeout = '50ms';
do $do$
declare
  began  constant timestamptz := clock_timestamp();
  name   text;
begin
  if to_regnamespace('rowcast') is null then
    raise notice 'rowcast is not installed in database %', current_database();
    return;
  end if;
  loop
    begin
      -- The triggers depend on functions in the schema and go with them.
      set local client_min_messages = warning;
      drop schema rowcast cascade;
      exit;
    exception when lock_not_available then
      if clock_timestamp() > began + interval '30 seconds' then
        raise exception 'a watched table is in use by a long transaction' using errcode = 'lock_not_available',
          hint = 'See pg_locks and pg_stat_activity; run uninstall.sql again when it has ended.';
      end if;
      perform pg_sleep(0.05 + 0.2 * random());
    end;
  end loop;

  foreach name in array array['rowcast_refresh', 'rowcast_capture'] loop
    continue when not exists (select from pg_roles where rolname = name);
    execute format('drop owned by %I', name);
    begin
      -- Another database's installation may be using the role at this moment; nobody waits behind this lock.
      set local lock_timeout = '5s';
      execute format('drop role %I', name);
    exception
      when dependent_objects_still_exist or lock_not_available then
        raise notice 'role % stays: another database uses it', name;
      when insufficient_privilege then
        raise notice 'role % stays: % may not drop it', name, current_user;
    end;
  end loop;
end
$do$;
commit;
