-- Removes the oldest transactions from the log: those older than `older_than`, and as many more as the log is larger than
-- `max_bytes` (null: any size; the size is estimated from some 200 pages of it). One small batch a call; `more` says
-- whether to call again at once. Only finished transactions, in the order of their ids, so that one number
-- (settings.expired_xid) says which cursors have expired. A transaction larger than a batch goes in several; it counts as
-- expired from the first. Removes revocations that have ended, too.
create or replace function rowcast.expire(
  older_than interval, max_bytes bigint default null, batch int default 5000, out removed bigint, out more boolean)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '100ms'
as $$
declare
  horizon  xid8;
  excess   bigint := 0;
  cut      xid8;
  last_id  bigint;      -- of the transaction `cut`, where only a part of it goes
  seen     bigint;
  at_least constant int := 100;
begin
  removed := 0;
  more := false;
  if older_than is null or older_than < interval '0' or max_bytes < 0 or batch is null or batch < at_least then
    raise exception 'expire(%, %, %): age and size must not be negative, and a batch has at least % rows',
      older_than, max_bytes, batch, at_least using errcode = 'invalid_parameter_value';
  end if;
  if not (select pg_try_advisory_xact_lock(lock_class, lock_key + 1) from rowcast.settings) then
    return;
  end if;
  delete from rowcast.revocations r where r.until < clock_timestamp();
  if max_bytes is not null then
    excess := rowcast.log_bytes() - max_bytes;
  end if;

  horizon := pg_snapshot_xmin(pg_current_snapshot());
  with oldest as materialized (
    select l.xid, l.id, l.at, 100 + coalesce(pg_column_size(l.new), 0) + coalesce(pg_column_size(l.old), 0) as bytes
    from rowcast.change_log l where l.xid < horizon order by l.xid, l.id limit batch
  ), transactions as (
    select o.xid, max(o.id) as last_id, max(o.at) as ended, count(*) as rows,
           sum(sum(o.bytes)) over (order by o.xid) - sum(o.bytes) as bytes_before,
           sum(count(*)) over () as seen, count(*) over () as transactions
    from oldest o group by o.xid
  ), due as (
    select t.*, bool_and(t.ended < clock_timestamp() - older_than or t.bytes_before < excess) over (order by t.xid) as goes
    from transactions t
  )
  select d.xid, d.seen, case when d.seen = batch and d.transactions = 1 then d.last_id end into cut, seen, last_id
  from due d
  where d.goes
    -- The last transaction of a full batch may go on beyond it.
    and (d.seen < batch or d.transactions = 1 or d.xid < (select o.xid from oldest o order by o.xid desc limit 1))
  order by d.xid desc limit 1;
  if not found then
    return;
  end if;

  update rowcast.settings set expired_xid = greatest(expired_xid, cut);
  if last_id is null then
    delete from rowcast.change_log l where l.xid <= cut;
  else
    delete from rowcast.change_log l where l.xid = cut and l.id <= last_id;
  end if;
  get diagnostics removed = row_count;
  more := seen = batch;
end
$$;
comment on function rowcast.expire(interval, bigint, int) is 'removes one batch of the oldest transactions from the log';

-- Bytes that the log's live rows occupy, from a sample: dead rows, which vacuum will give free, do not count.
create or replace function rowcast.log_bytes() returns bigint
language plpgsql volatile security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  pages   constant bigint := pg_relation_size('rowcast.change_log') / current_setting('block_size')::bigint;
  percent constant real := least(100, 20000.0 / greatest(pages, 1));
begin
  return (select coalesce(sum(100 + coalesce(pg_column_size(l.new), 0) + coalesce(pg_column_size(l.old), 0)), 0) * 100 / percent
          from rowcast.change_log l tablesample system (percent));
end
$$;
comment on function rowcast.log_bytes() is 'internal: estimated size of the log''s live rows';
