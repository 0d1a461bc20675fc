-- The type inside `given` (itself, its elements or members at any depth) that has a user-defined cast to json, or null.
-- row_to_json() would run that cast inside the application's statement. Casts that came with an extension are trusted.
create or replace function rowcast.json_cast_inside(given oid) returns regtype
language sql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
  with recursive inside (type) as (
    select given
    union
    select part.type
    from inside
    join pg_type t on t.oid = inside.type
    cross join lateral (
      select t.typbasetype where t.typtype = 'd'
      union all
      select t.typelem where t.typcategory = 'A'
      union all
      select a.atttypid from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
    ) part (type)
  )
  select inside.type::regtype
  from inside
  join pg_type t on t.oid = inside.type
  join pg_cast c on c.castsource = inside.type and c.casttarget = 'json'::regtype
  where c.oid >= 16384
    and t.typtype not in ('c', 'd') and t.typcategory <> 'A'    -- of these it looks at the members only
    and not exists (select from pg_depend d
                    where d.classid = 'pg_cast'::regclass and d.objid = c.oid and d.deptype = 'e')
  limit 1
$$;
comment on function rowcast.json_cast_inside(oid) is 'internal: a type within this one whose cast to json is user-defined';
