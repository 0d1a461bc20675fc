create or replace view rowcast.watched as
select rowcast.table_name(w.relid)  as table_name,
       w.relid,
       rowcast.captured_columns(w)  as columns,
       w.key_columns,
       w.included is null           as all_columns,
       w.notify,
       w.since,
       s.relations,
       s.triggers,
       case when c.relkind = 'p' then rowcast.earlier_triggers(w.relid) else '{}' end as misordering_triggers,
       s.missing,
       w.shape <> rowcast.table_shape(w.relid) or w.table_name <> rowcast.table_name(w.relid) as outdated
from rowcast.watch_list w
join pg_class c on c.oid = w.relid
cross join lateral (
  select count(*)::int as relations,
         case when bool_or(t.state = 'missing') then 'missing' when bool_or(t.state = 'disabled') then 'disabled' else 'ok' end as triggers,
         coalesce(array_agg(rowcast.table_name(r) order by r) filter (where t.state = 'missing'), '{}') as missing
  from rowcast.table_relations(w.relid) r, rowcast.triggers_state(r, w.row_form) t) s;

comment on view rowcast.watched is 'the watched tables, as they are now';
comment on column rowcast.watched.columns is 'captured columns, in table order';
comment on column rowcast.watched.key_columns is 'what identifies a row';
comment on column rowcast.watched.all_columns is 'whether columns added later are captured';
comment on column rowcast.watched.relations is 'relations that need triggers: the table and its partitions';
comment on column rowcast.watched.triggers is 'ok, missing (on a new partition, until the next refresh) or disabled';
comment on column rowcast.watched.misordering_triggers is
  'a partitioned table''s own AFTER triggers: one that changes the same row again is logged in the wrong order';
comment on column rowcast.watched.missing is 'relations that lack triggers';
comment on column rowcast.watched.outdated is 'renamed or altered, and not looked at since (rowcast.refresh)';
