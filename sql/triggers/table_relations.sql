-- Every relation that needs triggers of its own so that `root` is captured: itself and, of a partitioned table, all levels.
create or replace function rowcast.table_relations(root regclass) returns setof regclass
language sql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
  select r.relid
  from (select root as relid, -1 as level
        union all
        select p.relid, p.level from pg_partition_tree(root) p where p.relid <> root) r
  join pg_class c on c.oid = r.relid
  order by r.level, r.relid
$$;
comment on function rowcast.table_relations(regclass) is 'internal: a table and its partitions at every level';

-- A table's name as the log, the configuration and the wire have it: always with its schema.
create or replace function rowcast.table_name(relid oid) returns text
language sql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format('%I.%I', n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.oid = table_name.relid
$$;
comment on function rowcast.table_name(oid) is 'internal: schema-qualified, quoted name; null where there is no such table';
