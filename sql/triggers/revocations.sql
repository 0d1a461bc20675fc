-- Users, tokens and sessions that bridges let in no more. A row is needed for as long as a token that it concerns may last;
-- retention removes it afterwards. Bridges hold all of it in memory, so there are at most 100,000.
create table if not exists rowcast.revocations (
  kind   text        not null check (kind in ('user', 'token', 'session')),
  name   text        not null check (octet_length(name) between 1 and 1000),
  at     timestamptz not null,
  until  timestamptz not null,
  reason text        check (octet_length(reason) <= 1000),
  xid    xid8        not null,
  primary key (kind, name)
);
create index if not exists revocations_xid on rowcast.revocations (xid);
create index if not exists revocations_until on rowcast.revocations (until);

comment on table rowcast.revocations is 'users, tokens and sessions that bridges let in no more';
comment on column rowcast.revocations.kind is 'user: `sub`; token: `jti`; session: of the welcome message';
comment on column rowcast.revocations.at is 'of a user: tokens that were issued (`iat`) then or before, and those that do not say when';
comment on column rowcast.revocations.until is 'when the last of those tokens will have ended';
comment on column rowcast.revocations.xid is 'so that a bridge reads what is new; ids of transactions that were open at the last reading count as new';

-- Revokes, and tells the bridges: a notification on `rowcast_revocations`, without data. Whoever misses it finds the row within
-- poll_interval. Again for the same name: from now on, and for the longer time of the two. Returns its end.
create or replace function rowcast.revoke(
  kind text, name text, lasts interval default '24 hours', reason text default null) returns timestamptz
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  most   constant int := 100000;
  moment constant timestamptz := clock_timestamp();
  ending timestamptz;
begin
  if lasts is null or lasts <= interval '0' then
    raise exception 'a revocation lasts for some time, not for %', coalesce(lasts::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'As long as the longest token of that user: interval ''24 hours''.';
  end if;
  if (select count(*) from rowcast.revocations) >= most then
    raise exception 'there are % revocations, as many as bridges keep in memory', most
      using errcode = 'program_limit_exceeded', hint = 'Change the key that tokens are signed with, or delete some from rowcast.revocations.';
  end if;
  insert into rowcast.revocations as r values (kind, name, moment, moment + lasts, reason, pg_current_xact_id())
  on conflict on constraint revocations_pkey do update
  set at = excluded.at, until = greatest(r.until, excluded.until), reason = coalesce(excluded.reason, r.reason), xid = excluded.xid
  returning r.until into ending;
  -- A full queue would fail the commit.
  if pg_notification_queue_usage() < 0.5 then
    perform pg_notify('rowcast_revocations', '');
  end if;
  return ending;
end
$$;
comment on function rowcast.revoke(text, text, interval, text) is
  'lets a user (by `sub`), a token (by `jti`) or a session in no more, at every bridge';
