-- Says which log this is. A bridge calls it at start and after every reconnect, before it reads.
-- In a copy (is_copy, is_of_the_future) the log means nothing: it is emptied and gets a new identity, and cursors made before are
-- foreign to it.
create or replace function rowcast.claim_identity(
  out log_id uuid, out timeline int, out cursor_key bytea, out lock_class int, out lock_key int,
  out expired_xid xid8, out renewed boolean)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '1s'
as $$
#variable_conflict use_column
declare
  w rowcast.watch_list;
begin
  if pg_is_in_recovery() then
    raise exception 'this server is a standby: its snapshots omit running transactions'
      using errcode = 'read_only_sql_transaction',
            hint = 'Connect to the primary (target_session_attrs=read-write with all hosts in the URL).';
  end if;
  renewed := rowcast.is_copy() or rowcast.is_of_the_future();
  if renewed then
    -- Again, behind a lock: of two bridges only the first renews.
    perform from rowcast.settings for update;
    renewed := rowcast.is_copy() or rowcast.is_of_the_future();
  end if;
  if renewed then
    delete from rowcast.change_log;
    delete from rowcast.bridges;
    update rowcast.settings s
    set log_id = gen_random_uuid(), cursor_key = rowcast.random_secret(), lock_key = rowcast.random_lock_key(),
        system_identifier = (select c.system_identifier from pg_control_system() c),
        database_oid = (select d.oid from pg_database d where d.datname = current_database()),
        table_oid = s.tableoid, expired_xid = '0';
    for w in select l.* from rowcast.watch_list l where exists (select from pg_class where oid = l.relid) loop
      perform rowcast.watch_renumber(w, w.relid);
    end loop;
    perform rowcast.rebuild();
    -- Restored triggers are new ones; there is nobody to be told.
    update rowcast.watch_relations r
    set triggers = (rowcast.triggers_state(r.relid, w.row_form)).print
    from rowcast.watch_list w where w.id = r.watch_id;
  end if;

  select s.log_id, ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int,
         s.cursor_key, s.lock_class, s.lock_key, s.expired_xid
    into strict log_id, timeline, cursor_key, lock_class, lock_key, expired_xid
    from rowcast.settings s;
end
$$;
comment on function rowcast.claim_identity() is 'the log''s identity, renewed where this database is a copy';

-- Makes all trigger functions anew: after an upgrade, or with a new lock key.
create or replace function rowcast.rebuild() returns void
language plpgsql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  w rowcast.watch_list;
begin
  for w in select l.* from rowcast.watch_list l where exists (select from pg_class where oid = l.relid) order by l.id loop
    update rowcast.watch_list l set shape = rowcast.table_shape(w.relid) where l.id = w.id and l.shape <> rowcast.table_shape(w.relid);
    perform rowcast.capture_build(w);
  end loop;
end
$$;
comment on function rowcast.rebuild() is 'internal: makes all trigger functions anew';
