-- Brings a watch's entry up to date with its table: its name, its columns, its key, other triggers. Returns why subscribers
-- must read again, and changes nothing where nothing has changed.
create or replace function rowcast.refresh_watch(inout w rowcast.watch_list, out reasons text[])
language plpgsql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  before   constant rowcast.watch_list := w;
  captured text[];
begin
  reasons := '{}';
  w.table_name := rowcast.table_name(w.relid);
  if w.table_name <> before.table_name then
    perform rowcast.log_resync(before.table_name, 'table_renamed');
    reasons := reasons || 'table_renamed'::text;
  end if;

  w.shape := rowcast.table_shape(w.relid);
  if w.shape <> before.shape then
    reasons := reasons || 'table_altered'::text;
    w.included := case when w.included_nums is not null then rowcast.key_names(w.relid, w.included_nums) end;
    w.excluded := rowcast.key_names(w.relid, w.excluded_nums);
  end if;

  if not w.key_given then
    w.key_nums := coalesce(rowcast.primary_key(w.relid), '{}');
  end if;
  w.key_columns := rowcast.key_names(w.relid, w.key_nums);
  captured := rowcast.captured_columns(w);
  if cardinality(w.key_columns) < cardinality(w.key_nums) or not w.key_columns <@ captured then
    w.key_columns := '{}';
  end if;
  if w.key_columns <> before.key_columns then
    reasons := reasons || case when w.key_columns = '{}' then 'key_missing' else 'key_changed' end;
  end if;

  -- Only towards the row form: the way back drops triggers, which the owner may do by watching again.
  w.row_form := w.row_form or rowcast.earlier_triggers(w.relid) <> '{}' and (select relkind = 'r' and not relispartition from pg_class where oid = w.relid);

  if w is distinct from before then
    update rowcast.watch_list l
    set (table_name, included, excluded, key_columns, key_nums, row_form, shape)
      = (w.table_name, w.included, w.excluded, w.key_columns, w.key_nums, w.row_form, w.shape)
    where l.id = w.id;
  end if;
end
$$;
comment on function rowcast.refresh_watch(rowcast.watch_list) is 'internal: brings a watch up to date with its table';
