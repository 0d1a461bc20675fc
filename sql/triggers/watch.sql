-- Watches a table: every change to it is logged from this transaction's commit on.
--   target   the table (of a partitioned one, the root)
--   columns  capture these only; default: all, and those added later
--   except   (a reserved word: write "except" => '{...}') capture all but these
--   key      the columns that identify a row; default: the primary key
--   notify   ring the bridge's doorbell; false: it finds the changes when it polls
-- Watching again replaces the options. Creates the function rowcast.capture_N and triggers on the table; waits for
-- their lock in moments of 50 ms, between which writers pass, for at most half a minute.
create or replace function rowcast.watch(
  target regclass, columns text[] default null, "except" text[] default null,
  key text[] default null, notify boolean default null) returns void
language plpgsql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  w        rowcast.watch_list;
  offender record;
  early    text[];
  before   text[];
  more     text;
  began    constant timestamptz := clock_timestamp();
  patience constant text := current_setting('lock_timeout');
begin
  perform pg_advisory_xact_lock(lock_class, lock_key + 2) from rowcast.settings;
  perform rowcast.refuse_table(target);
  if columns is not null and "except" is not null then
    raise exception 'columns and except exclude each other' using errcode = 'invalid_parameter_value',
      hint = 'Name either the columns to capture or those to leave out.';
  end if;
  if notify is null and current_setting('max_prepared_transactions')::int > 0 then
    raise exception 'this server allows PREPARE TRANSACTION (max_prepared_transactions > 0), which fails after a NOTIFY'
      using errcode = 'invalid_parameter_value',
            hint = 'Say notify => false where the application uses two-phase commit on this table, else notify => true.';
  end if;

  select * into w from rowcast.watch_list l where l.relid = target;
  before := case when w.id is not null then rowcast.captured_columns(w) end;
  w.relid := target;
  w.table_name := rowcast.table_name(target);
  w.notify := coalesce(notify, true);
  w.included := columns;
  w.included_nums := case when columns is not null then rowcast.column_numbers(target, columns, 'columns') end;
  w.excluded := coalesce("except", '{}');
  w.excluded_nums := rowcast.column_numbers(target, w.excluded, 'except');
  w.key_given := key is not null;
  w.key_nums := case when key is not null then rowcast.column_numbers(target, key, 'key') else rowcast.primary_key(target) end;
  if coalesce(w.key_nums, '{}') = '{}' then
    raise exception '% has no primary key', w.table_name using errcode = 'invalid_parameter_value',
      hint = format('Name the columns that identify a row: select rowcast.watch(%L, key => ''{...}'');', w.table_name);
  end if;
  w.key_columns := rowcast.key_names(target, w.key_nums);

  select a.attname as name, rowcast.json_cast_inside(a.atttypid) as type, a.attnum = any (w.key_nums) as in_key into offender
  from pg_attribute a
  where a.attrelid = target and a.attnum > 0 and not a.attisdropped
    and (w.included_nums is null or a.attnum = any (w.included_nums)) and a.attnum <> all (w.excluded_nums)
    and rowcast.json_cast_inside(a.atttypid) is not null
  limit 1;
  if found then
    raise exception 'column % of %: type % has a user-defined cast to json, which would run inside the application''s statements',
      quote_ident(offender.name), w.table_name, offender.type
      using errcode = 'wrong_object_type',
            hint = format('Leave it out ("except" => ''{%s}''), or drop the cast.', offender.name);
  end if;
  if not w.included <@ rowcast.captured_columns(w) then
    raise exception 'a virtual generated column of % cannot be captured: triggers do not see its value', w.table_name
      using errcode = 'feature_not_supported', hint = 'Leave it out of columns, or make it a stored one.';
  end if;
  if not w.key_columns <@ rowcast.captured_columns(w) then
    raise exception 'the key (%) of % is not among the captured columns', array_to_string(w.key_columns, ', '), w.table_name
      using errcode = 'invalid_parameter_value', hint = 'Add the key''s columns: without them a row cannot be named.';
  end if;
  if w.key_given and not exists (
       select from pg_index i
       where i.indrelid = target and i.indisunique and i.indpred is null and i.indexprs is null
         and (select array_agg(k order by k) from unnest(i.indkey[0:i.indnkeyatts - 1]) k)
           <@ (select array_agg(k::int2 order by k) from unnest(w.key_nums) k)) then
    raise warning 'no unique index guarantees that (%) identifies a row of %', array_to_string(w.key_columns, ', '), w.table_name;
  end if;

  select string_agg(c, ', ') into more from unnest(rowcast.captured_columns(w)) c where c <> all (before);
  if more is not null then
    raise warning '% was watched already; from now on these columns are captured as well: %', w.table_name, more
      using hint = 'What is not said anew has its default: name columns or except again to capture fewer.';
  end if;

  early := rowcast.earlier_triggers(target);
  w.row_form := early <> '{}' and (select relkind = 'r' from pg_class where oid = target);
  if early <> '{}' and not w.row_form then
    raise warning '% is partitioned and has AFTER triggers of its own (%): where one of them changes the same row again, '
      'the two changes are logged in the wrong order', w.table_name, array_to_string(early, ', ')
      using hint = 'Make it a BEFORE trigger, or a statement trigger whose name sorts after "!rowcast".';
  end if;
  w.shape := rowcast.table_shape(target);

  if w.id is null then
    insert into rowcast.watch_list (relid, table_name, included, excluded, key_given, key_columns,
                                    included_nums, excluded_nums, key_nums, notify, row_form, shape)
    values (w.relid, w.table_name, w.included, w.excluded, w.key_given, w.key_columns,
            w.included_nums, w.excluded_nums, w.key_nums, w.notify, w.row_form, w.shape)
    returning * into w;
  else
    update rowcast.watch_list l
    set (table_name, included, excluded, key_given, key_columns, included_nums, excluded_nums, key_nums, notify, row_form, shape)
      = (w.table_name, w.included, w.excluded, w.key_given, w.key_columns,
         w.included_nums, w.excluded_nums, w.key_nums, w.notify, w.row_form, w.shape)
    where l.id = w.id;
  end if;
  perform rowcast.capture_build(w);
  perform rowcast.grant_refresh(w);

  loop
    begin
      perform set_config('lock_timeout', '50ms', true);
      perform rowcast.triggers_attach(w, r) from rowcast.table_relations(target) r;
      exit;
    exception when lock_not_available then
      if clock_timestamp() > began + interval '30 seconds' then
        raise exception 'could not get a lock on % within 30 s', w.table_name using errcode = 'lock_not_available',
          hint = 'A long transaction uses the table (see pg_locks and pg_stat_activity); try again when it has ended.';
      end if;
      perform pg_sleep(0.05 + 0.2 * random());
    end;
  end loop;
  perform set_config('lock_timeout', patience, true);

  insert into rowcast.watch_relations (relid, watch_id, triggers)
  select r, w.id, (rowcast.triggers_state(r, w.row_form)).print from rowcast.table_relations(target) r
  on conflict (relid) do update set watch_id = excluded.watch_id, triggers = excluded.triggers;
end
$$;
comment on function rowcast.watch(regclass, text[], text[], text[], boolean) is 'captures a table''s changes from now on';
