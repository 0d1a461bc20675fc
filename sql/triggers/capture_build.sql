-- Creates or replaces the trigger function of a watch where its text would differ; says whether it did. Takes no lock on
-- the table: what only changes options never disturbs writers.
create or replace function rowcast.capture_build(w rowcast.watch_list) returns boolean
language plpgsql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  function_name constant text := 'capture_' || w.id;
  source        constant text := rowcast.capture_source(w);
  settings      text;
  print         text;
begin
  select rowcast.writer_settings(array_agg(a.atttypid)) into settings
  from pg_attribute a
  where a.attrelid = w.relid and a.attnum > 0 and a.attname = any (rowcast.captured_columns(w));
  print := md5(settings || source);
  if print = (select l.definition from rowcast.watch_list l where l.id = w.id)
     and to_regprocedure(format('rowcast.%I()', function_name)) is not null then
    return false;
  end if;

  -- No JIT: the planner takes its joins for many times what they are, and to compile them takes longer than all the rest.
  execute format('create or replace function rowcast.%I() returns trigger language plpgsql volatile security definer '
                 'set search_path = pg_catalog, pg_temp set jit to off %s as %L', function_name, settings, source);
  if (select proowner <> 'rowcast_capture'::regrole from pg_proc where oid = format('rowcast.%I()', function_name)::regprocedure) then
    execute format('revoke all on function rowcast.%I() from public', function_name);
    -- An owner must have the right to create in the schema: for the length of this transaction only.
    grant create on schema rowcast to rowcast_capture;
    execute format('alter function rowcast.%I() owner to rowcast_capture', function_name);
    revoke create on schema rowcast from rowcast_capture;
  end if;
  execute format('comment on function rowcast.%I() is %L', function_name, 'captures ' || w.table_name);
  update rowcast.watch_list l set definition = print where l.id = w.id;
  return true;
end
$$;
comment on function rowcast.capture_build(rowcast.watch_list) is 'internal: makes a watch''s trigger function';
