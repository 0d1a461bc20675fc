-- Names of a table's columns by number, in table order; dropped ones are left out.
create or replace function rowcast.column_names(target regclass, numbers int2[]) returns text[]
language sql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(a.attname::text order by a.attnum), '{}')
  from pg_attribute a
  where a.attrelid = target and a.attnum = any (numbers) and a.attnum > 0 and not a.attisdropped
$$;
comment on function rowcast.column_names(regclass, int2[]) is 'internal: names of columns, in table order';

-- The columns that a watch captures now. Virtual generated ones (PostgreSQL 18) are not: transition tables have them as null.
create or replace function rowcast.captured_columns(w rowcast.watch_list) returns text[]
language sql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(a.attname::text order by a.attnum), '{}')
  from pg_attribute a
  where a.attrelid = w.relid and a.attnum > 0 and not a.attisdropped
    and (w.included_nums is null or a.attnum = any (w.included_nums))
    and a.attnum <> all (w.excluded_nums)
    and a.attgenerated <> 'v'
    and rowcast.json_cast_inside(a.atttypid) is null
$$;
comment on function rowcast.captured_columns(rowcast.watch_list) is 'internal: columns that a watch captures, in table order';
