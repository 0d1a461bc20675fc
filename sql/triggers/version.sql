-- The version of the installed SQL. The bridge compares it with its own.
create or replace function rowcast.version() returns text
language sql immutable parallel safe security invoker
set search_path = pg_catalog, pg_temp
as $$ select '0.1.0' $$;
comment on function rowcast.version() is 'version of the installed SQL';
