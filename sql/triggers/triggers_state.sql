-- What can be said of a relation's triggers: `print` changes whenever somebody creates, drops, disables or enables one (any of
-- these rewrites its catalog row); `state` is for people.
create or replace function rowcast.triggers_state(target regclass, row_form boolean, out print text, out state text)
language sql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(md5(string_agg(concat_ws(' ', t.oid, t.tgname, t.tgenabled, t.xmin), ',' order by t.tgname)), ''),
         case when count(*) < case when row_form then 7 else 4 end then 'missing'
              when bool_or(t.tgenabled in ('D', 'R')) then 'disabled'
              else 'ok' end
  from pg_trigger t
  where t.tgrelid = target and t.tgname like '!rowcast\_%'
$$;
comment on function rowcast.triggers_state(regclass, boolean) is 'internal: fingerprint and state of a relation''s triggers';
