create schema if not exists rowcast;
comment on schema rowcast is 'rowcast: row changes for web clients (remove with sql/triggers/uninstall.sql)';

-- Nothing here is for everybody; grants.sql says who gets what.
revoke all on schema rowcast from public;
grant usage on schema rowcast to rowcast_capture;
grant usage, create on schema rowcast to rowcast_refresh;
