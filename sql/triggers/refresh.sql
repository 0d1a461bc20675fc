-- Looks whether the watched tables are still captured completely, repairs what it may, and tells the subscribers to read
-- again (RESYNC in the log) where something happened that no trigger tells. Returns a row for each thing it did, or
-- found and could not do. The bridge calls it every poll_interval; a DBA may at any time.
-- In a copy it claims the log first: until then the watches name columns by numbers of the original's.
-- Belongs to rowcast_refresh, which has the TRIGGER right on watched tables.
create or replace function rowcast.refresh() returns table (table_name text, action text, detail text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '50ms'
as $$
#variable_conflict use_column
declare
  w       rowcast.watch_list;
  reasons text[];
  reason  text;
  r       record;
  again   regclass;
begin
  if not (select pg_try_advisory_xact_lock(lock_class, lock_key + 2) from rowcast.settings) then
    return query select null::text, 'busy', 'another session is changing watches';
    return;
  end if;

  if rowcast.is_copy() then
    perform rowcast.claim_identity();
  end if;

  for w in select l.* from rowcast.watch_list l order by l.id loop
    table_name := w.table_name;
    if not exists (select from pg_class where oid = w.relid) then
      -- Dropped; or dropped and restored from a dump, then its triggers are back and call the same function.
      again := (select t.tgrelid from pg_trigger t
                where t.tgfoid = to_regproc(format('rowcast.%I', 'capture_' || w.id)) and t.tgrelid = to_regclass(w.table_name)
                limit 1);
      if again is null then
        perform rowcast.log_resync(w.table_name, 'table_dropped');
        execute format('drop function if exists rowcast.%I()', 'capture_' || w.id);
        delete from rowcast.watch_list l where l.id = w.id;
        return query select w.table_name, 'forgotten', 'the table was dropped';
        continue;
      end if;
      perform rowcast.watch_renumber(w, again);
      select l.* into w from rowcast.watch_list l where l.id = w.id;
    end if;

    select (f.w).*, f.reasons into r from rowcast.refresh_watch(w) f;
    reasons := r.reasons;
    select l.* into w from rowcast.watch_list l where l.id = w.id;
    table_name := w.table_name;
    if again is not null then
      reasons := reasons || 'table_restored'::text;
      again := null;
    end if;
    if rowcast.capture_build(w) then
      return query select w.table_name, 'rebuilt', 'capture function replaced';
    end if;
    if w.key_columns = '{}' then
      return query select w.table_name, 'refused', 'its key is gone: add a primary key or watch it again with key => ''{...}''';
    end if;
    for r in select * from rowcast.refresh_relations(w) loop
      return query select r.relation, r.action, r.detail;
      reasons := reasons || r.reason;
    end loop;

    for reason in select distinct u from unnest(reasons) u where u is not null order by 1 loop
      perform rowcast.log_resync(w.table_name, reason);
      return query select w.table_name, 'resync', reason;
    end loop;
  end loop;
end
$$;
comment on function rowcast.refresh() is 'repairs capture after changes to the tables; returns what it did';
