-- The AFTER triggers of others that run before a statement trigger of ours. One that changes the same row again would be
-- logged before the statement that fired it. (Triggers of foreign keys are internal, and never queue a level of their own.)
create or replace function rowcast.earlier_triggers(target regclass) returns text[]
language sql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(t.tgname::text order by t.tgname), '{}')
  from pg_trigger t
  where t.tgrelid = target
    and not t.tgisinternal
    and t.tgname not like '!rowcast\_%'
    and t.tgtype & 66 = 0                       -- neither BEFORE (2) nor INSTEAD OF (64)
    and (t.tgtype & 1 = 1 or t.tgname < '!rowcast_')
$$;
comment on function rowcast.earlier_triggers(regclass) is 'internal: AFTER triggers of others that run before a statement trigger of rowcast';
