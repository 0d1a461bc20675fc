-- Numbers of those of the named columns that exist, in the order of the names.
create or replace function rowcast.column_numbers_present(target regclass, names text[]) returns int2[]
language sql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(a.attnum order by u.place), '{}')
  from unnest(names) with ordinality u (name, place)
  join pg_attribute a on a.attrelid = target and a.attname = u.name and a.attnum > 0 and not a.attisdropped
$$;
comment on function rowcast.column_numbers_present(regclass, text[]) is 'internal: numbers of the named columns that exist';

-- Column names given by a person, as numbers; raises where one does not exist.
create or replace function rowcast.column_numbers(target regclass, names text[], parameter text) returns int2[]
language plpgsql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  unknown text;
begin
  select u into unknown
  from unnest(names) u
  where not exists (select from pg_attribute a
                    where a.attrelid = target and a.attname = u and a.attnum > 0 and not a.attisdropped)
  limit 1;
  if found then
    raise exception '% has no column % (in %)', rowcast.table_name(target), coalesce(quote_ident(unknown), 'null'), parameter
      using errcode = 'undefined_column',
            hint = 'Its columns are: ' || array_to_string(
              (select array_agg(a.attname order by a.attnum) from pg_attribute a
               where a.attrelid = target and a.attnum > 0 and not a.attisdropped), ', ');
  end if;
  return rowcast.column_numbers_present(target, names);
end
$$;
comment on function rowcast.column_numbers(regclass, text[], text) is 'internal: numbers of named columns';

-- The primary key's columns in the key's own order, or null.
create or replace function rowcast.primary_key(target regclass) returns int2[]
language sql stable security invoker
set search_path = pg_catalog, pg_temp
as $$ select c.conkey from pg_constraint c where c.conrelid = target and c.contype = 'p' $$;
comment on function rowcast.primary_key(regclass) is 'internal: numbers of the primary key''s columns';

-- The names of columns in the order of their numbers as given (unlike column_names, which sorts by table order).
create or replace function rowcast.key_names(target regclass, numbers int2[]) returns text[]
language sql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(a.attname::text order by u.place), '{}')
  from unnest(numbers) with ordinality u (number, place)
  join pg_attribute a on a.attrelid = target and a.attnum = u.number and not a.attisdropped
$$;
comment on function rowcast.key_names(regclass, int2[]) is 'internal: names of a key''s columns, in the key''s order';
