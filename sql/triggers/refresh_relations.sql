-- Compares the relations that bear a watch's triggers with those that should, gives new ones theirs, and returns what it
-- did or could not do; `reason`: why subscribers must read again.
-- Each lock is tried for 50 ms; after the first that is not to be had the rest waits for the next call, so that a lock
-- already taken here is never kept while waiting for another.
create or replace function rowcast.refresh_relations(w rowcast.watch_list)
returns table (relation text, action text, detail text, reason text)
language plpgsql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  r       record;
  changes int;
  print   text;
begin
  for r in
    select coalesce(n.relid, k.relid) as relid, n.relid is not null as wanted, k.relid is not null as known,
           c.oid is not null as present, rowcast.table_name(coalesce(n.relid, k.relid)) as name,
           c.relkind, pg_has_role(current_user, c.relowner, 'usage') as owned,
           s.state, s.print, s.print is distinct from k.triggers as touched
    from (select t as relid from rowcast.table_relations(w.relid) t) n
    full join (select l.relid, l.triggers from rowcast.watch_relations l where l.watch_id = w.id) k on n.relid = k.relid
    left join pg_class c on c.oid = coalesce(n.relid, k.relid)
    left join lateral rowcast.triggers_state(c.oid, w.row_form) s on true
    order by n.relid is null, coalesce(n.relid, k.relid)
  loop
    continue when r.wanted and r.known and not r.touched and r.state = 'ok';
    relation := coalesce(r.name, r.relid::oid::text);
    reason := null;
    begin
      if not r.wanted then
        if r.present and r.owned then
          perform rowcast.triggers_detach(r.relid);
        end if;
        delete from rowcast.watch_relations l where l.relid = r.relid;
        action := case when r.present then 'detached' else 'dropped' end;
        reason := 'partition_' || action;
        detail := case when r.present and not r.owned then 'its triggers are idle now, and its owner may drop them' else '' end;
      elsif r.relkind = 'f' then
        action := 'refused';
        detail := 'a foreign table: what is written to it cannot be captured';
      else
        changes := rowcast.triggers_attach(w, r.relid);
        select t.print, t.state into print, detail from rowcast.triggers_state(r.relid, w.row_form) t;
        action := case when detail <> 'ok' then 'refused' when not r.known then 'attached' else 'repaired' end;
        if not r.known then
          -- An empty new partition holds nothing that anybody could have missed.
          reason := case when r.relkind = 'r' and pg_relation_size(r.relid) > 0 then 'partition_attached' end;
        elsif r.touched then
          reason := 'trigger_disabled';
        end if;
        detail := case when detail = 'ok' then format('%s trigger(s) set', changes)
                       else format('a trigger is %s, and only the owner of %s may enable it', detail, r.name) end;
        insert into rowcast.watch_relations as l (relid, watch_id, triggers) values (r.relid, w.id, print)
        on conflict (relid) do update set watch_id = excluded.watch_id, triggers = excluded.triggers;
      end if;
      return next;
    exception
      when lock_not_available then
        action := 'busy';
        detail := 'its lock was not to be had within 50 ms; tried again at the next refresh';
        reason := null;
        return next;
        exit;
      when insufficient_privilege then
        action := 'refused';
        detail := format('%s; let its owner run: grant trigger on %s to rowcast_refresh;', sqlerrm, r.name);
        reason := null;
        return next;
    end;
  end loop;
end
$$;
comment on function rowcast.refresh_relations(rowcast.watch_list) is 'internal: gives new partitions their triggers';
