-- Installs or upgrades rowcast in the current database:  psql -f install.sql
-- Nothing but the order; every included file is plain SQL.
\set ON_ERROR_STOP on
begin;
\ir preflight.sql
\ir roles.sql
\ir schema.sql
\ir version.sql
\ir settings.sql
\ir change_log.sql
\ir watch_list.sql
\ir json_casts.sql
\ir table_relations.sql
\ir table_shape.sql
\ir table_problem.sql
\ir foreign_triggers.sql
\ir watch_columns.sql
\ir writer_settings.sql
\ir capture_rows.sql
\ir capture_truncate.sql
\ir capture_source.sql
\ir capture_build.sql
\ir triggers_attach.sql
\ir triggers_state.sql
\ir watch_resolve.sql
\ir watch_renumber.sql
\ir grant_refresh.sql
\ir watch.sql
\ir unwatch.sql
\ir watched.sql
\ir publish.sql
\ir is_copy.sql
\ir log_resync.sql
\ir refresh_watch.sql
\ir refresh_relations.sql
\ir refresh.sql
\ir expire.sql
\ir bridges.sql
\ir revocations.sql
\ir claim_identity.sql
\ir grant_bridge.sql
\ir grants.sql
\ir finish.sql
commit;
