-- Functions are executable by everybody when they are made: take that back first. `revoke ... from public` leaves what was
-- granted to the bridge as it is.
revoke all on all functions in schema rowcast from public;
revoke all on all tables in schema rowcast from public;
revoke all on all sequences in schema rowcast from public;

-- Read-only, and evaluated as whoever reads the view rowcast.watched (who needs the schema's usage to get here).
grant execute on function rowcast.version(), rowcast.table_name(oid), rowcast.table_relations(regclass),
  rowcast.captured_columns(rowcast.watch_list), rowcast.triggers_state(regclass, boolean), rowcast.table_shape(regclass),
  rowcast.earlier_triggers(regclass), rowcast.json_cast_inside(oid) to public;

grant insert on rowcast.change_log to rowcast_capture;
grant usage on sequence rowcast.change_log_id to rowcast_capture;
grant select (lock_class, lock_key, max_row) on rowcast.settings to rowcast_capture;

grant select, delete on rowcast.change_log to rowcast_refresh;
grant select, update on rowcast.settings to rowcast_refresh;
grant select, insert, update, delete on rowcast.bridges to rowcast_refresh;
grant select, insert, update, delete on rowcast.revocations to rowcast_refresh;
grant select, update, delete on rowcast.watch_list to rowcast_refresh;
grant select, insert, update, delete on rowcast.watch_relations to rowcast_refresh;
grant execute on all functions in schema rowcast to rowcast_refresh;

-- An owner needs the right to create in the schema at this moment, and only then.
alter function rowcast.refresh() owner to rowcast_refresh;
alter function rowcast.expire(interval, bigint, int) owner to rowcast_refresh;
alter function rowcast.claim_identity() owner to rowcast_refresh;
alter function rowcast.report_bridge(json) owner to rowcast_refresh;
alter function rowcast.forget_bridge(uuid) owner to rowcast_refresh;
alter function rowcast.revoke(text, text, interval, text) owner to rowcast_refresh;
grant create on schema rowcast to rowcast_capture;
alter function rowcast.publish(text, text, json) owner to rowcast_capture;
revoke create on schema rowcast from rowcast_capture;

-- Bridges from before an upgrade get what grant_bridge has come to give since.
do $do$
begin
  perform rowcast.grant_bridge(a.grantee)
  from pg_proc p, aclexplode(p.proacl) a
  where p.oid = 'rowcast.claim_identity()'::regprocedure and a.grantee not in (0, p.proowner)
    and a.grantee <> (select nspowner from pg_namespace where nspname = 'rowcast');
end
$do$;
