-- What is watched, as the DBA said it. The view rowcast.watched is for reading.
create table if not exists rowcast.watch_list (
  id            int         generated always as identity primary key,
  relid         regclass    not null unique,
  table_name    text        not null,
  included      text[],
  excluded      text[]      not null default '{}',
  key_given     boolean     not null,
  key_columns   text[]      not null,
  -- The same columns by number: a renamed column is followed by its number, a restored dump by its names.
  included_nums int2[],
  excluded_nums int2[]      not null default '{}',
  key_nums      int2[]      not null,
  notify        boolean     not null,
  row_form      boolean     not null default false,
  shape         text        not null,
  definition    text        not null default '',
  since         timestamptz not null default now(),
  check (included is null or excluded = '{}')
);
comment on table rowcast.watch_list is 'what is watched, as it was asked for; read rowcast.watched instead';
comment on column rowcast.watch_list.included is 'captured columns; null: all but the excluded ones, also later ones';
comment on column rowcast.watch_list.row_form is 'the table has other AFTER triggers, so that capture runs before them as a row trigger';
comment on column rowcast.watch_list.shape is 'fingerprint of the columns; a difference means that the table was altered';
comment on column rowcast.watch_list.definition is 'fingerprint of the capture function';

-- The relations that bear triggers for it: the table itself, or every level of a partitioned one.
create table if not exists rowcast.watch_relations (
  relid    regclass primary key,
  watch_id int      not null references rowcast.watch_list on delete cascade,
  triggers text     not null
);
create index if not exists watch_relations_watch_id on rowcast.watch_relations (watch_id);
comment on table rowcast.watch_relations is 'relations that bear rowcast''s triggers';
comment on column rowcast.watch_relations.triggers is 'fingerprint of the triggers; a difference means that somebody touched them';
