-- Gives a role what the bridge needs, and nothing else: to read the log, the settings, the watches and the revocations, and to call
-- claim_identity, refresh, expire, publish, report_bridge, forget_bridge and revoke. What it shows of the tables themselves (initial rows) is yours to grant.
create or replace function rowcast.grant_bridge(role regrole) returns void
language plpgsql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('grant usage on schema rowcast to %s', role);
  execute format('grant select on rowcast.change_log, rowcast.settings, rowcast.watched, rowcast.bridges, rowcast.revocations to %s', role);
  execute format('grant execute on function rowcast.version(), rowcast.claim_identity(), rowcast.refresh(), '
                 'rowcast.expire(interval, bigint, int), rowcast.publish(text, text, json), '
                 'rowcast.report_bridge(json), rowcast.forget_bridge(uuid), rowcast.revoke(text, text, interval, text) to %s', role);
end
$$;
comment on function rowcast.grant_bridge(regrole) is 'gives a role what the bridge needs';
