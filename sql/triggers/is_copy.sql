-- Whether this log was made elsewhere: in another cluster, database or table than its identity (a dump restores the settings
-- into a new table, be it under the old name). Until claim_identity() has been called nothing in it means anything, the
-- numbers of columns in the watches among others.
create or replace function rowcast.is_copy() returns boolean
language sql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
  select (s.system_identifier, s.database_oid, s.table_oid)
           <> ((select c.system_identifier from pg_control_system() c),
               (select d.oid from pg_database d where d.datname = current_database()), s.tableoid)
  from rowcast.settings s
$$;
comment on function rowcast.is_copy() is 'internal: whether the log was made elsewhere';

-- Whether it holds transactions that are still to come here, as a log that is not of this cluster would. Looks at what open
-- transactions have written: not for every poll.
create or replace function rowcast.is_of_the_future() returns boolean
language sql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$ select exists (select from rowcast.change_log l where l.xid >= pg_snapshot_xmax(pg_current_snapshot())) $$;
comment on function rowcast.is_of_the_future() is 'internal: whether the log holds transactions that are still to come';
