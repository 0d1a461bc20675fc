-- Raises, with a hint, where a table cannot be captured completely.
create or replace function rowcast.refuse_table(target regclass) returns void
language plpgsql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  t       record;
  problem text;
  advice  text;
  wrong   constant text := 'wrong_object_type';
begin
  select c.*, rowcast.table_name(c.oid) as name, n.nspname as schema, pg_get_userbyid(c.relowner) as owner
    into t
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = target;
  if not found then
    raise exception 'there is no table %', target using errcode = 'undefined_table';
  end if;

  case
    when t.relkind = 'v' then
      problem := 'is a view'; advice := 'Watch the tables that it reads.';
    when t.relkind = 'm' then
      problem := 'is a materialized view'; advice := 'Watch the tables that it reads.';
    when t.relkind = 'f' then
      problem := 'is a foreign table'; advice := 'Install rowcast where the table is stored, and watch it there.';
    when t.relkind not in ('r', 'p') then
      problem := 'is not a table'; advice := 'Only ordinary and partitioned tables can be watched.';
    when t.relpersistence = 't' then
      problem := 'is a temporary table'; advice := 'No other session could read it. Watch a permanent table.';
    when t.schema in ('pg_catalog', 'information_schema', 'rowcast') then
      problem := 'belongs to the system'; advice := 'Watch a table of the application.';
    when t.relispartition then
      problem := 'is a partition';
      advice := format('Watch the whole: select rowcast.watch(%L);', rowcast.table_name(pg_partition_root(target)));
    when exists (select from pg_inherits i where i.inhparent = target) and t.relkind = 'r' then
      problem := 'has inheritance children, and a write through it fires no trigger of theirs';
      advice := 'Turn it into a partitioned table, or end the inheritance.';
    when exists (select from pg_inherits i where i.inhrelid = target) then
      problem := 'inherits from another table, and a write through that one fires no trigger here';
      advice := 'End the inheritance (alter table ... no inherit ...).';
    when exists (select from pg_subscription_rel s
                 where s.srrelid in (select r from rowcast.table_relations(target) r)) then
      problem := 'is written by a logical subscription, which fires row triggers only';
      advice := 'Install rowcast on the publisher, and watch the table there.';
    when exists (select from rowcast.table_relations(target) r join pg_class c on c.oid = r where c.relkind = 'f') then
      problem := 'has a foreign table as a partition'; advice := 'Detach it: its changes cannot be captured.';
    when not pg_has_role(current_user, t.relowner, 'usage') then
      problem := format('belongs to %s, and %s may not act as that role', t.owner, current_user);
      advice := format('Watch it as %I, or let a DBA run: grant %I to %I;', t.owner, t.owner, current_user);
      raise exception '% %', t.name, problem using errcode = 'insufficient_privilege', hint = advice;
    else
      return;
  end case;
  raise exception '% %: it cannot be watched', t.name, problem using errcode = wrong, hint = advice;
end
$$;
comment on function rowcast.refuse_table(regclass) is 'internal: raises where a table cannot be captured completely';
