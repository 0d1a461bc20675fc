-- After a restore the table has another oid and its columns may have other numbers: names are what is left to go by.
create or replace function rowcast.watch_renumber(w rowcast.watch_list, now_at regclass) returns void
language sql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
  update rowcast.watch_list l
  set relid = now_at,
      included_nums = case when l.included is not null then rowcast.column_numbers_present(now_at, l.included) end,
      excluded_nums = rowcast.column_numbers_present(now_at, l.excluded),
      key_nums      = rowcast.column_numbers_present(now_at, l.key_columns)
  where l.id = w.id
$$;
comment on function rowcast.watch_renumber(rowcast.watch_list, regclass) is 'internal: finds a watch''s columns again after a restore';
