-- The part of a trigger function that answers TRUNCATE. Truncating a partitioned table fires the triggers of every level,
-- from the top: the first one names those below it in a setting, and each of them crosses itself out. A partition that is
-- truncated alone is not in that list; what it held is unknown to subscribers of the whole, who must read again.
create or replace function rowcast.capture_truncate(w rowcast.watch_list, partitioned boolean) returns text
language sql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case when partitioned then format($t$
    marks := coalesce(current_setting(%1$L, true), '');
    mark := '/' || tg_relid || '/';
    if position(mark in marks) > 0 then
      perform set_config(%1$L, replace(marks, mark, ''), true);
      return null;
    end if;
    perform set_config(%1$L, (select coalesce(string_agg('/' || p.relid::oid || '/', ''), '')
                              from pg_partition_tree(tg_relid) p where p.relid <> tg_relid), true);
    insert into rowcast.change_log (call, table_name, op, cause, event)
    select nextval('rowcast.change_log_id'), %2$L, case when whole then 'TRUNCATE' else 'RESYNC' end,
           case when not whole then 'TRUNCATE' end, case when not whole then 'partition_truncated' end
    from (select tg_relid = %3$s as whole) t;$t$, 'rowcast.truncated_' || w.id, w.table_name, w.relid::oid)
  else format($t$
    insert into rowcast.change_log (call, table_name, op)
    values (nextval('rowcast.change_log_id'), %L, 'TRUNCATE');$t$, w.table_name)
  end
$$;
comment on function rowcast.capture_truncate(rowcast.watch_list, boolean) is 'internal: the TRUNCATE part of a trigger function';
