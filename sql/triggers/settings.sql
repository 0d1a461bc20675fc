-- One row: who this log is, and the secrets and limits that belong to it.
create table if not exists rowcast.settings (
  only_row          boolean     primary key default true check (only_row),
  version           text        not null,
  log_id            uuid        not null default gen_random_uuid(),
  system_identifier bigint      not null,
  database_oid      oid         not null,
  table_oid         oid         not null,
  lock_class        int         not null,
  lock_key          int         not null,
  cursor_key        bytea       not null check (length(cursor_key) = 32),
  expired_xid       xid8        not null default '0',
  max_row           bigint      not null default 8388608 check (max_row between 1024 and 67108864),
  installed_at      timestamptz not null default now()
);

alter table rowcast.settings add column if not exists table_oid oid not null default 0;
alter table rowcast.settings alter column table_oid drop default;
update rowcast.settings set table_oid = tableoid where table_oid = 0;

comment on table rowcast.settings is 'one row: identity, secrets and limits of this change log; readable by the bridge only';
comment on column rowcast.settings.log_id is 'identity of the log; a new one is made after a restore or a copy';
comment on column rowcast.settings.system_identifier is 'the cluster this identity was made on';
comment on column rowcast.settings.database_oid is 'the database this identity was made in';
comment on column rowcast.settings.table_oid is 'this table when the identity was made: a dump restores the row into another one';
comment on column rowcast.settings.lock_class is 'first half of the advisory locks'' keys';
comment on column rowcast.settings.lock_key is 'second half: +0 the doorbell, +1 retention, +2 changes to watches';
comment on column rowcast.settings.cursor_key is 'signs the cursors: secret';
comment on column rowcast.settings.expired_xid is 'highest transaction that retention has removed';
comment on column rowcast.settings.max_row is 'bytes above which a row is logged with its key only; set it, then select rowcast.refresh()';

-- A lock key no other application is likely to use; a multiple of 4, since neighbours of it are used too.
create or replace function rowcast.random_lock_key() returns int
language sql volatile parallel restricted security invoker
set search_path = pg_catalog, pg_temp
as $$ select ('x' || substr(md5(gen_random_uuid()::text), 1, 8))::bit(32)::int & x'7ffffffc'::int $$;
comment on function rowcast.random_lock_key() is 'internal: a new key for the advisory locks';

-- 32 unpredictable bytes without pgcrypto: gen_random_uuid() is seeded by the server's strong random source.
create or replace function rowcast.random_secret() returns bytea
language sql volatile parallel restricted security invoker
set search_path = pg_catalog, pg_temp
as $$
  select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
             || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
$$;
comment on function rowcast.random_secret() is 'internal: 32 random bytes';

-- 0x726f7763 spells "rowc": what doctor shows when it finds the lock.
insert into rowcast.settings (version, system_identifier, database_oid, table_oid, lock_class, lock_key, cursor_key)
select rowcast.version(), s.system_identifier, d.oid, 'rowcast.settings'::regclass, x'726f7763'::int, rowcast.random_lock_key(), rowcast.random_secret()
from pg_control_system() s, pg_database d
where d.datname = current_database()
on conflict do nothing;
