-- Creates what is missing of the triggers of one relation and drops what is too many; returns the number of changes.
-- Their names sort before any other's, so that rowcast runs first. ENABLE ALWAYS, which only the owner may say, captures
-- writers with session_replication_role = replica too.
create or replace function rowcast.triggers_attach(w rowcast.watch_list, target regclass) returns int
language plpgsql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  owned   constant boolean := (select pg_has_role(current_user, relowner, 'usage') from pg_class where oid = target);
  t       record;
  changes int := 0;
begin
  for t in
    select v.*, g.tgenabled as state
    from (values
      ('!rowcast_insert',     'insert',   'referencing new table as rowcast_new',                             'statement', true),
      ('!rowcast_update',     'update',   'referencing new table as rowcast_new old table as rowcast_old',    'statement', true),
      ('!rowcast_delete',     'delete',   'referencing old table as rowcast_old',                             'statement', true),
      ('!rowcast_truncate',   'truncate', '',                                                                 'statement', true),
      ('!rowcast_row_insert', 'insert',   'referencing new table as rowcast_new',                             'row', w.row_form),
      ('!rowcast_row_update', 'update',   'referencing new table as rowcast_new old table as rowcast_old',    'row', w.row_form),
      ('!rowcast_row_delete', 'delete',   'referencing old table as rowcast_old',                             'row', w.row_form)
    ) v (name, event, tables, level, wanted)
    left join pg_trigger g on g.tgrelid = target and g.tgname = v.name
  loop
    if t.wanted and t.state is null then
      execute format('create trigger %I after %s on %s %s for each %s execute function rowcast.%I()',
                     t.name, t.event, target, t.tables, t.level, 'capture_' || w.id);
      changes := changes + 1;
    end if;
    if t.wanted and owned and t.state is distinct from 'A' then
      execute format('alter table only %s enable always trigger %I', target, t.name);
      changes := changes + 1;
    end if;
    if not t.wanted and t.state is not null and owned then
      execute format('drop trigger %I on %s', t.name, target);
      changes := changes + 1;
    end if;
  end loop;
  return changes;
end
$$;
comment on function rowcast.triggers_attach(rowcast.watch_list, regclass) is 'internal: gives one relation its triggers';

-- Drops rowcast's triggers from one relation.
create or replace function rowcast.triggers_detach(target regclass) returns void
language plpgsql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  t record;
begin
  for t in select tgname from pg_trigger where tgrelid = target and tgname like '!rowcast\_%' loop
    execute format('drop trigger %I on %s', t.tgname, target);
  end loop;
end
$$;
comment on function rowcast.triggers_detach(regclass) is 'internal: takes one relation''s triggers away';
