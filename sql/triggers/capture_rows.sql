-- The text of a FROM item that reads a transition table. Its columns: body (the row as json), shown (the same, but null
-- where it is too large), k1, k2, ... (its key) and wide (a cheap test: it may be too large).
--
-- A column that the table no longer has must not fail the application's statement: names that the table lacks are found in
-- `f`, one level further out, as null; refresh() then corrects the function. No alias here can hide a column of the
-- table: `t.*` and `c.*` always mean the whole row, and the trigger function prefers columns to variables.
create or replace function rowcast.capture_rows(w rowcast.watch_list, transition text, max_row bigint) returns text
language plpgsql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  captured text[] := rowcast.captured_columns(w);
  whole    boolean := w.included_nums is null and w.excluded_nums = '{}' and captured = (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
                                  where a.attrelid = w.relid and a.attnum > 0 and not a.attisdropped);
  wide     text[];   -- columns that may be large
  size     text;
  widest   text;
  harmless bigint;   -- a stored size that cannot make a row too large
  is_wide  text;
  is_large text;
  keys     text;
  body     text;
  source   text;
begin
  select coalesce(array_agg(a.attname::text order by a.attnum), '{}') into wide
  from pg_attribute a
  where a.attrelid = w.relid and a.attnum > 0 and a.attname = any (captured) and a.attlen = -1
    and a.atttypid <> all ('{numeric,inet,cidr,int4range,int8range,numrange,daterange,tsrange,tstzrange}'::regtype[])
    and not (a.atttypid = any ('{varchar,bpchar,bit,varbit}'::regtype[]) and a.atttypmod between 0 and 1000);

  -- A stored size says little where the value is compressed, by up to 256 times. So what could make the row too large is
  -- unpacked to be measured; row() unpacks one column at a time, so that no row larger than PostgreSQL's 1 GB is ever put
  -- together.
  harmless := max_row / 256 / greatest(cardinality(wide), 1);
  select string_agg(format('coalesce(case when pg_column_size(%1$s) > %2$s then pg_column_size(row(%1$s)) '
                           'else pg_column_size(%1$s) end, 0)::bigint', n.name, harmless), ' + '),
         string_agg(format('pg_column_size(%s)', n.name), ', ')
    into size, widest
    from unnest(wide) u, lateral (select case when whole then '' else 'c.' end || quote_ident(u) as name) n;
  select coalesce(string_agg(format(', %s%I as k%s', case when whole then '' else 'c.' end, k.name, k.place), '' order by k.place), '')
    into keys
    from unnest(w.key_columns) with ordinality k (name, place);

  body := case when whole then 'row_to_json(t.*)' else 'row_to_json(c.*)' end;
  source := format('%I t', transition);
  if not whole then
    source := source || format(', lateral (select %s) c', (select string_agg(quote_ident(u), ', ') from unnest(captured) u));
  end if;
  is_wide := case when size is null then 'false'
                    else format('coalesce(greatest(%s), 0) > %s', widest, harmless) end;
  is_large := case when size is null then 'false' else format('(%s and %s > %s)', is_wide, size, max_row) end;
  return format('(select %s) f, lateral (select %s as body, %s as shown%s, %s as wide from %s) r',
    (select string_agg(format('null::text as %I', u), ', ' order by u)
     from (select unnest(case when whole then w.key_columns || wide else captured end) u group by 1) names),
    body, case when is_large = 'false' then body else format('case when %s then null else %s end', is_large, body) end,
    keys, is_wide, source);
end
$$;
comment on function rowcast.capture_rows(rowcast.watch_list, text, bigint) is 'internal: SQL that reads a transition table as json';
