-- Whether this log was made elsewhere: in another cluster, database or table than its identity (a dump restores the settings
-- into a new table, be it under the old name), or with transactions that are still to come here. Until claim_identity()
-- has been called nothing in it means anything, the numbers of columns in the watches among others.
create or replace function rowcast.is_copy() returns boolean
language sql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
  select (s.system_identifier, s.database_oid, s.table_oid)
           <> ((select c.system_identifier from pg_control_system() c),
               (select d.oid from pg_database d where d.datname = current_database()), s.tableoid)
         or exists (select from rowcast.change_log l where l.xid >= pg_snapshot_xmax(pg_current_snapshot()))
  from rowcast.settings s
$$;
comment on function rowcast.is_copy() is 'internal: whether the log was made elsewhere';
