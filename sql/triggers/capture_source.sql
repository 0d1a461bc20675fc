-- The body of a table's trigger function: static SQL with all its options written in, so that a call plans nothing.
create or replace function rowcast.capture_source(w rowcast.watch_list) returns text
language plpgsql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  s           record;
  partitioned boolean;
  new_rows    text;
  old_rows    text;
  log         constant text := 'insert into rowcast.change_log (call, table_name, op, cause, key_columns, new, old, truncated)';
  log_one     constant text := 'insert into rowcast.change_log (table_name, op, cause, key_columns, new, old, truncated)';
  call        constant text := 'select (select nextval(''rowcast.change_log_id''))';
  name        constant text := quote_literal(w.table_name);
  key_names   constant text := quote_literal(w.key_columns) || '::text[]';
  new_key     text;
  old_key     text;
  moved       text;
  new_keys    text;
  old_keys    text;
  pair_new    text;
  pair_old    text;
  pairs       text;
  by_place    text;
  by_key      text;
  key_text    text;
  one_row     text;
  head        text := '';
  ring        text := '';
begin
  select max_row, lock_class, lock_key into strict s from rowcast.settings;
  select relkind = 'p' into strict partitioned from pg_class where oid = w.relid;
  new_rows := rowcast.capture_rows(w, 'rowcast_new', s.max_row);
  old_rows := rowcast.capture_rows(w, 'rowcast_old', s.max_row);
  select format('json_build_object(%s)', string_agg(format('%L, p.new%s', k, i), ', ' order by i)),
         format('json_build_object(%s)', string_agg(format('%L, p.old%s', k, i), ', ' order by i)),
         format('json_build_object(%s)', string_agg(format('%L, n.k%s', k, i), ', ' order by i)),
         format('json_build_object(%s)', string_agg(format('%L, o.k%s', k, i), ', ' order by i)),
         -- Where equal values always look the same, comparing them is enough, and cheaper.
         case when bool_and(coalesce(a.atttypid, 0) = any ('{int2,int4,int8,oid,uuid,bool,date,timestamp,timestamptz}'::regtype[]))
              then format('(%s)', string_agg(format('n.k%1$s is distinct from o.k%1$s', i), ' or ' order by i))
              else format('record_image_ne(row(%s), row(%s))', string_agg('n.k' || i, ', ' order by i), string_agg('o.k' || i, ', ' order by i)) end,
         format('json_build_array(%s)::text', string_agg('r.k' || i, ', ' order by i)),
         coalesce(string_agg(format(', n.k%s as new%s', i, i), '' order by i), ''),
         coalesce(string_agg(format(', o.k%s as old%s', i, i), '' order by i), '')
    into pair_new, pair_old, new_key, old_key, moved, key_text, new_keys, old_keys
    from unnest(w.key_columns) with ordinality k (k, i)
    left join pg_attribute a on a.attrelid = w.relid and a.attname = k;
  -- Counts differ only where a row can move to another partition.
  one_row := 'not exists (select from rowcast_new offset 1)' || case when partitioned then ' and not exists (select from rowcast_old offset 1)' else '' end;

  if partitioned then
    head := head || format($t$
  -- A detached partition keeps its triggers until somebody may drop them.
  if tg_relid <> %1$s and pg_partition_root(tg_relid) is distinct from %1$s::oid then
    return null;
  end if;
$t$, w.relid::oid);
  end if;
  if w.row_form then
    head := head || format($t$
  -- The first row's call logs the whole statement, before any other AFTER trigger can change a row again. The mark keeps the
  -- statement's other calls quiet; a statement inside one of them has a mark of its own, one level deeper.
  marks := coalesce(current_setting(%1$L || tg_op, true), '');
  mark := '/' || pg_trigger_depth();
  if marks = mark or right(marks, length(mark)) = mark then
    if tg_level = 'STATEMENT' then
      perform set_config(%1$L || tg_op, left(marks, -length(mark)), true);
    end if;
    return null;
  elsif tg_level = 'ROW' then
    perform set_config(%1$L || tg_op, marks || mark, true);
  end if;
$t$, 'rowcast.logged_' || w.id || '_');
  end if;
  if w.notify then
    ring := format($t$
  -- The doorbell: rung only where no bridge is awake (it would hold the key), after the log is written.
  if logged and (case when pg_try_advisory_lock_shared(%1$s, %2$s) then pg_advisory_unlock_shared(%1$s, %2$s) else false end)
     and pg_notification_queue_usage() < 0.5 then
    perform pg_notify('rowcast', %3$L || tg_op || '"}');
  end if;$t$, s.lock_class, s.lock_key, format('{"table":%s,"op":"', to_json(w.table_name)));
  end if;

  -- Rows of the two transition tables side by side. FULL JOIN also keeps the planner from a nested loop, which it would
  -- choose, and keep, if the first statement of a session is small. A row whose key changed comes twice: all the DELETEs
  -- (half 0) before everything else. OFFSET 0 keeps the planner from evaluating `moved` wherever it is used.
  pairs := $t$
      %1$s, %2$s, case when not p.moved then 'UPDATE' when h.half = 0 then 'DELETE' else 'INSERT' end,
        case when p.moved then 'UPDATE' end, %3$s,
        case when h.half = 1 then case when s.large then %4$s else p.shown_new end end,
        case when h.half = 0 or not p.moved then case when s.large then %5$s else p.shown_old end end,
        s.large
      from (
        select n.place is null or o.place is null or %9$s as moved, coalesce(n.place, o.place) as place,
          n.place is not null as has_new, n.shown as shown_new%10$s,
          o.place is not null as has_old, o.shown as shown_old%11$s
        from (%6$s) n full join (%7$s) o on %8$s
        offset 0
      ) p
      cross join (values (0), (1)) h (half)
      cross join lateral (select (h.half = 1 and p.shown_new is null) or ((h.half = 0 or not p.moved) and p.shown_old is null) as large) s
      where case h.half when 0 then p.moved and p.has_old else p.has_new end
      order by h.half, p.place$t$;

  by_place := format(pairs, call, name, key_names, pair_new, pair_old,
    'select row_number() over () as place, r.* from ' || new_rows,
    'select row_number() over () as place, r.* from ' || old_rows, 'n.place = o.place', moved, new_keys, old_keys);
  by_key := format(pairs, call, name, key_names, pair_new, pair_old,
    format('select q.*, row_number() over (partition by q.key order by q.place) as turn '
           'from (select row_number() over () as place, %s as key, r.* from %s) q', key_text, new_rows),
    format('select q.*, row_number() over (partition by q.key order by q.place) as turn '
           'from (select row_number() over () as place, %s as key, r.* from %s) q', key_text, old_rows),
    'n.key = o.key and n.turn = o.turn', moved, new_keys, old_keys);

  return format($t$
#variable_conflict use_column
declare
  logged boolean;
  news   bigint;
  olds   bigint;
  marks  text;
  mark   text;
begin
%1$s
  if tg_op = 'UPDATE' then
    -- One row of ordinary size needs neither pairing nor measuring, and is what most statements change. Without `call`,
    -- whose default is right for one row, the statement is one plan node shorter.
    %15$s
    select %4$s, 'UPDATE', null, %5$s, n.body, o.body, false
    from (select r.* from %7$s) n, (select r.* from %9$s) o
    where %14$s and not %10$s and not n.wide and not o.wide;
    logged := found;
    if not logged then
%11$s
      logged := found;
    end if;

  -- OFFSET 0: or the row would be made json twice.
  elsif tg_op = 'INSERT' then
    %2$s
    %3$s, %4$s, 'INSERT', null, %5$s, coalesce(n.shown, %6$s), null, n.shown is null
    from (select r.* from %7$s offset 0) n;
    logged := found;

  elsif tg_op = 'DELETE' then
    %2$s
    %3$s, %4$s, 'DELETE', null, %5$s, null, coalesce(o.shown, %8$s), o.shown is null
    from (select r.* from %9$s offset 0) o;
    logged := found;

  else
%12$s
    logged := true;
  end if;
%13$s
  return null;
end
$t$,
    head, log, call, name, key_names, new_key, new_rows, old_key, old_rows, moved,
    case when partitioned then format($t$
      news := (select count(*) from rowcast_new);
      olds := (select count(*) from rowcast_old);
      if news = olds then
        -- The n-th new row is the n-th old one's.
        %1$s
        %2$s;
      else
        -- A BEFORE trigger swallowed a row on its way to another partition: only the key tells who is who.
        %1$s
        %3$s;
      end if;$t$, log, by_place, by_key)
    else format($t$
      -- The n-th new row is the n-th old one's.
      %1$s
      %2$s;$t$, log, by_place) end,
    rowcast.capture_truncate(w, partitioned), ring, one_row, log_one);
end
$$;
comment on function rowcast.capture_source(rowcast.watch_list) is 'internal: body of a table''s trigger function';
