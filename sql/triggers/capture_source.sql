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
  key_text    text;
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
         format('record_image_ne(row(%s), row(%s))', string_agg('n.k' || i, ', ' order by i), string_agg('o.k' || i, ', ' order by i)),
         format('json_build_array(%s)::text', string_agg('r.k' || i, ', ' order by i)),
         coalesce(string_agg(format(', n.k%s as new%s', i, i), '' order by i), ''),
         coalesce(string_agg(format(', o.k%s as old%s', i, i), '' order by i), '')
    into pair_new, pair_old, new_key, old_key, moved, key_text, new_keys, old_keys
    from unnest(w.key_columns) with ordinality k (k, i);

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
          n.place is not null as has_new, n.shown as shown_new, n.large as large_new%10$s,
          o.place is not null as has_old, o.shown as shown_old, o.large as large_old%11$s
        from (%6$s) n full join (%7$s) o on %8$s
        offset 0
      ) p
      cross join (values (0), (1)) h (half)
      cross join lateral (select coalesce(case when not p.moved then p.large_new or p.large_old
                                               when h.half = 0 then p.large_old else p.large_new end, false) as large) s
      where case h.half when 0 then p.moved and p.has_old else p.has_new end
      order by h.half, p.place$t$;

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
  -- One row of ordinary size needs neither pairing nor measuring, and is what most statements change.
  if tg_op = 'INSERT' then
    %2$s
    select nextval('rowcast.change_log_id'), %4$s, 'INSERT', null, %5$s, n.body, null, false
    from (select r.* from %7$s) n
    where not exists (select from rowcast_new offset 1) and not n.wide;
    logged := found;
    if not logged then
      %2$s
      %3$s, %4$s, 'INSERT', null, %5$s, case when n.large then %6$s else n.shown end, null, n.large
      from (select r.* from %7$s) n;
      logged := found;
    end if;

  elsif tg_op = 'DELETE' then
    %2$s
    select nextval('rowcast.change_log_id'), %4$s, 'DELETE', null, %5$s, null, o.body, false
    from (select r.* from %9$s) o
    where not exists (select from rowcast_old offset 1) and not o.wide;
    logged := found;
    if not logged then
      %2$s
      %3$s, %4$s, 'DELETE', null, %5$s, null, case when o.large then %8$s else o.shown end, o.large
      from (select r.* from %9$s) o;
      logged := found;
    end if;

  elsif tg_op = 'UPDATE' then
    %2$s
    select nextval('rowcast.change_log_id'), %4$s, 'UPDATE', null, %5$s, n.body, o.body, false
    from (select r.* from %7$s) n, (select r.* from %9$s) o
    where not exists (select from rowcast_new offset 1) and not exists (select from rowcast_old offset 1)
      and not %10$s and not n.wide and not o.wide;
    logged := found;
    if not logged then
      news := (select count(*) from rowcast_new);
      olds := (select count(*) from rowcast_old);
      if news = olds then
        -- The n-th new row is the n-th old one's.
        %2$s
        %11$s;
      else
        -- A BEFORE trigger swallowed a row on its way to another partition: only the key tells who is who.
        %2$s
        %12$s;
      end if;
      logged := found;
    end if;

  else
%13$s
    logged := true;
  end if;
%14$s
  return null;
end
$t$,
    head, log, call, name, key_names, new_key, new_rows, old_key, old_rows, moved,
    format(pairs, call, name, key_names, pair_new, pair_old,
      'select row_number() over () as place, r.* from ' || new_rows,
      'select row_number() over () as place, r.* from ' || old_rows, 'n.place = o.place', moved, new_keys, old_keys),
    format(pairs, call, name, key_names, pair_new, pair_old,
      format('select q.*, row_number() over (partition by q.key order by q.place) as turn '
             'from (select row_number() over () as place, %s as key, r.* from %s) q', key_text, new_rows),
      format('select q.*, row_number() over (partition by q.key order by q.place) as turn '
             'from (select row_number() over () as place, %s as key, r.* from %s) q', key_text, old_rows),
      'n.key = o.key and n.turn = o.turn', moved, new_keys, old_keys),
    rowcast.capture_truncate(w, partitioned), ring);
end
$$;
comment on function rowcast.capture_source(rowcast.watch_list) is 'internal: body of a table''s trigger function';
