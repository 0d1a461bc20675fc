-- What the bridges of this database say about themselves, for `rowcast status`: one row each. Unlogged, since after a crash
-- nothing in it would be true, and it is to cost no WAL; a standby has none. Updates touch no index and find room in their
-- page, so that it stays as small as it is.
create unlogged table if not exists rowcast.bridges (
  id              uuid        primary key,
  host            text        not null,
  process         int         not null,
  version         text        not null,
  started         timestamptz not null,
  seen            timestamptz not null,
  backend         int         not null,
  sessions        bigint      not null,
  subscriptions   bigint      not null,
  catching_up     bigint      not null,
  slowest         xid8,
  position        xid8,
  doorbell        text        not null,
  retention_age   interval    not null,
  retention_bytes bigint      not null
) with (fillfactor = 50);

comment on table rowcast.bridges is 'what each bridge last said about itself';
comment on column rowcast.bridges.id is 'another one after each start';
comment on column rowcast.bridges.seen is 'when it last said something: once a minute, and when something changed';
comment on column rowcast.bridges.backend is 'the server process that it said it through';
comment on column rowcast.bridges.sessions is 'clients, and polls under way';
comment on column rowcast.bridges.catching_up is 'sessions that read what they have missed';
comment on column rowcast.bridges.slowest is 'what has not been handed to some client begins at this transaction; null: everybody has everything';
comment on column rowcast.bridges.position is 'it has read all transactions below this one';
comment on column rowcast.bridges.doorbell is 'sleeping: writers ring; quiet: it looks by itself; taking, letting_go: on the way there and back';

-- Writes a bridge's row (a JSON object of its columns), removes those of bridges whose sessions are gone, and returns the age
-- of the oldest change that some client of this bridge has not been given.
create or replace function rowcast.report_bridge(report json, out behind interval)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '100ms'
as $$
declare
  said rowcast.bridges := json_populate_record(null::rowcast.bridges, report);
begin
  said.seen := clock_timestamp();
  said.backend := pg_backend_pid();
  insert into rowcast.bridges values (said.*)
  on conflict (id) do update
  set (seen, backend, sessions, subscriptions, catching_up, slowest, position, doorbell, retention_age, retention_bytes)
    = (excluded.seen, excluded.backend, excluded.sessions, excluded.subscriptions, excluded.catching_up, excluded.slowest,
       excluded.position, excluded.doorbell, excluded.retention_age, excluded.retention_bytes);

  delete from rowcast.bridges where id in (
    select b.id from rowcast.bridges b
    where b.id <> said.id
      and not exists (select from pg_stat_activity a where a.pid = b.backend and a.datname = current_database())
    for update skip locked);

  select clock_timestamp() - l.at into behind
  from rowcast.change_log l where l.xid >= said.slowest order by l.xid, l.id limit 1;
end
$$;
comment on function rowcast.report_bridge(json) is 'writes what a bridge says about itself';

create or replace function rowcast.forget_bridge(bridge uuid) returns void
language sql volatile security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '100ms'
as $$ delete from rowcast.bridges where id = bridge $$;
comment on function rowcast.forget_bridge(uuid) is 'removes the row of a bridge that stops';
