-- Two roles that nobody logs in as:
--   rowcast_capture  owns the trigger functions and can insert into the log, nothing else;
--   rowcast_refresh  owns what the bridge may call, and may create triggers on watched tables.
-- Roles belong to the whole cluster: another database may have made them already.
do $do$
declare
  asked_for constant text := format(
    'Let a DBA run once per cluster: create role rowcast_capture nologin; create role rowcast_refresh nologin; '
    'grant rowcast_capture to rowcast_refresh; grant rowcast_capture, rowcast_refresh to %I;', current_user);
  wanted name;
begin
  foreach wanted in array array['rowcast_capture', 'rowcast_refresh'] loop
    if not exists (select from pg_roles where rolname = wanted) then
      begin
        execute format('create role %I nologin', wanted);
      exception when duplicate_object or unique_violation then
        null;    -- an installation in another database was quicker
      end;
    end if;
    if not pg_has_role(current_user, wanted, 'usage')
       or current_setting('server_version_num')::int >= 160000
          and not (select rolsuper from pg_roles where rolname = current_user)
          and not pg_has_role(current_user, wanted, 'set') then
      execute format('grant %I to %I', wanted, current_user);
    end if;
  end loop;
  if not pg_has_role('rowcast_refresh', 'rowcast_capture', 'usage') then
    grant rowcast_capture to rowcast_refresh;
  end if;

  if exists (select from pg_roles where rolname in ('rowcast_capture', 'rowcast_refresh')
             and (rolcanlogin or rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication)) then
    raise exception 'role rowcast_capture or rowcast_refresh has rights of its own'
      using hint = 'They must be: nologin nosuperuser nocreaterole nocreatedb nobypassrls noreplication.';
  end if;
exception when insufficient_privilege then
  raise exception 'role % may not create or be granted the roles rowcast_capture and rowcast_refresh', current_user
    using errcode = 'insufficient_privilege', detail = sqlerrm, hint = asked_for;
end
$do$;
