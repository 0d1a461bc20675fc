-- Lets refresh() give triggers to partitions that do not exist yet: the right to create triggers on this table and its
-- partitions, and on what their owner will create in their schemas. Nothing where it has that right already.
create or replace function rowcast.grant_refresh(w rowcast.watch_list) returns void
language plpgsql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  t record;
begin
  for t in
    select r as relid from rowcast.table_relations(w.relid) r
    where not has_table_privilege('rowcast_refresh', r, 'trigger')
  loop
    execute format('grant trigger on %s to rowcast_refresh', t.relid);
  end loop;
  for t in
    select distinct c.relowner, c.relnamespace
    from rowcast.table_relations(w.relid) r join pg_class c on c.oid = r
    where (select relkind = 'p' from pg_class where oid = w.relid)
      and not exists (select from pg_default_acl d, aclexplode(d.defaclacl) a
                      where d.defaclrole = c.relowner and d.defaclnamespace = c.relnamespace and d.defaclobjtype = 'r'
                        and a.grantee = 'rowcast_refresh'::regrole and a.privilege_type = 'TRIGGER')
  loop
    execute format('alter default privileges for role %s in schema %s grant trigger on tables to rowcast_refresh',
                   t.relowner::regrole, t.relnamespace::regnamespace);
  end loop;
end
$$;
comment on function rowcast.grant_refresh(rowcast.watch_list) is 'internal: the rights of refresh() on a watched table';
