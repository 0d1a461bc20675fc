-- Refuses what cannot work, and becomes the schema's owner for an upgrade.
set local client_min_messages = warning;    -- an upgrade finds everything there already

do $do$
declare
  owner name;
begin
  if current_setting('server_version_num')::int < 130000 then
    raise exception 'rowcast needs PostgreSQL 13 or newer, this is %', current_setting('server_version');
  end if;
  if pg_is_in_recovery() then
    raise exception 'this server is a standby: rowcast is installed on the primary'
      using hint = 'Connect to the primary; the standby receives the schema by replication.';
  end if;

  select pg_get_userbyid(nspowner) into owner from pg_namespace where nspname = 'rowcast';
  if owner is not null and owner <> current_user then
    begin
      execute format('set local role %I', owner);
    exception when insufficient_privilege then
      raise exception 'schema rowcast belongs to %, and % may not act as that role', owner, current_user
        using errcode = 'insufficient_privilege',
              hint = format('Upgrade as %I, or let a DBA run: grant %I to %I;', owner, owner, current_user);
    end;
  elsif owner is null and not has_database_privilege(current_database(), 'create') then
    raise exception '% may not create a schema in database %', current_user, current_database()
      using errcode = 'insufficient_privilege',
            hint = format('Ask for: grant create on database %I to %I;', current_database(), current_user);
  end if;
end
$do$;
