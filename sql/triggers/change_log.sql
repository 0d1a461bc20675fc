-- Every committed change, written by the transaction that made it. Append at one end, delete at the other.
create table if not exists rowcast.change_log (
  id          bigint      generated always as identity (sequence name rowcast.change_log_id cache 1),
  xid         xid8        not null default pg_current_xact_id(),
  call        bigint      not null,
  at          timestamptz not null default clock_timestamp(),
  truncated   boolean     not null default false,
  table_name  text,
  op          text        not null,
  cause       text,
  key_columns text[],
  channel     text,
  event       text,
  new         json,
  old         json
);

comment on table rowcast.change_log is 'every committed change to a watched table, and every published message';
comment on column rowcast.change_log.id is 'order within a transaction';
comment on column rowcast.change_log.xid is 'the transaction that made the change';
comment on column rowcast.change_log.call is 'the trigger call that logged it: rows of one statement share it';
comment on column rowcast.change_log.truncated is 'the row was too large: new and old hold its key only';
comment on column rowcast.change_log.table_name is 'as PostgreSQL prints it, with its schema; a partition''s root; null for messages';
comment on column rowcast.change_log.op is 'INSERT, UPDATE, DELETE, TRUNCATE, MESSAGE or RESYNC';
comment on column rowcast.change_log.cause is 'the application''s command where op says something else';
comment on column rowcast.change_log.key_columns is 'names of the columns that identify the row';
comment on column rowcast.change_log.channel is 'where a message was published';
comment on column rowcast.change_log.event is 'a message''s event, or why clients must read the table again (RESYNC)';

-- The row's own id, which has just been drawn for it: right for a call that logs one row, and cheaper than another number.
do $do$
begin
  if not exists (select from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
                 where a.attrelid = 'rowcast.change_log'::regclass and a.attname = 'call') then
    alter table rowcast.change_log alter column call set default currval('rowcast.change_log_id');
  end if;
end
$do$;

-- The only index, since every writer pays for it: the reader and retention both go by transaction.
create index if not exists change_log_xid_id on rowcast.change_log (xid, id);

-- What does not fit into a page's quarter is compressed, by the writer: LZ4 takes a fraction of the default's time. Before
-- PostgreSQL 14, which neither has the column nor reads the statement, or where the server was built without it, the default
-- stays.
do $do$
begin
  if current_setting('server_version_num')::int < 140000 then
    return;
  end if;
  if (select bool_or(attcompression <> 'l') from pg_attribute where attrelid = 'rowcast.change_log'::regclass and attname in ('new', 'old')) then
    execute 'alter table rowcast.change_log alter column new set compression lz4, alter column old set compression lz4';
  end if;
exception when feature_not_supported then
  null;
end
$do$;

-- Rows die in the order in which they came, all of them: vacuum early and in full pages, and do not vacuum for inserts
-- (freezing rows that retention is about to remove).
alter table rowcast.change_log set (
  autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_insert_threshold = -1,
  toast.autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_threshold = 10000,
  toast.autovacuum_vacuum_insert_threshold = -1);
