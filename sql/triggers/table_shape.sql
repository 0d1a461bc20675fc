-- A fingerprint of a table's columns. It changes with every ALTER that may have changed stored values without firing a
-- trigger (a new type, a new generation expression), since each of them rewrites the column's catalog row.
create or replace function rowcast.table_shape(root regclass) returns text
language sql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
  select md5(string_agg(concat_ws(' ', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attisdropped, a.xmin, d.oid, d.xmin),
                        ',' order by a.attnum))
  from pg_attribute a
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum and a.attgenerated <> ''
  where a.attrelid = root and a.attnum > 0
$$;
comment on function rowcast.table_shape(regclass) is 'internal: fingerprint of a table''s columns';
