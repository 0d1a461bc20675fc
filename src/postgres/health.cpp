#include "postgres/health.hpp"

#include "postgres/doorbell_key.hpp"

namespace rowcast::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string text(const rows& from, std::size_t row, std::size_t column)
{
    return std::string(from.text(row, column));
}

seconds age(const rows& from, std::size_t row, std::size_t column)
{
    return seconds(from.number(row, column));
}

void read_server(connection& on, database_health& health)
{
    health.version = on.server_version();
    health.sees_sessions = on.execute("select pg_has_role('pg_read_all_stats', 'usage')").truth(0, 0);
    const rows settings = on.execute(
        "select name, reset_val from pg_settings where name = any ($1::text[])",
        {to_array(std::vector<std::string>{"autovacuum", "fsync", "full_page_writes", "max_connections",
                                           "superuser_reserved_connections", "synchronous_commit", "track_counts"})});
    for (std::size_t i = 0; i < settings.size(); ++i) {
        health.settings[text(settings, i, 0)] = settings.text(i, 1);
    }
    health.connections =
        on.execute("select count(*) from pg_stat_activity where backend_type = 'client backend'").number(0, 0);
    health.has_replica_writers = on.execute("select exists (select from pg_db_role_setting s where setdatabase in (0, "
                                            "(select oid from pg_database where datname = current_database())) "
                                            "and 'session_replication_role=replica' = any (setconfig))")
                                     .truth(0, 0);
}

// What lies within the time that the question took is no difference.
void read_clock(connection& on, database_health& health)
{
    const auto now = [] {
        return std::chrono::floor<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
    };
    const milliseconds before = now();
    const milliseconds there(on.execute("select (extract(epoch from clock_timestamp()) * 1000)::bigint").number(0, 0));
    const milliseconds after = now();
    health.clock_ahead = there < before ? there - before : there > after ? there - after : milliseconds(0);
}

void read_tables(connection& on, database_health& health)
{
    const rows found = on.execute(R"sql(
with r as (
  select w.relid as root, r as relid, rowcast.table_name(r) as name, r <> w.relid and w.relations > 1 as is_partition
  from rowcast.watched w, rowcast.table_relations(w.relid) r),
t as (
  select r.root, r.name, g.tgenabled in ('D', 'R') as disabled, g.tgenabled = 'O' as blind,
         format('alter table only %s enable always trigger %I;', r.name, g.tgname) as enable
  from r join pg_trigger g on g.tgrelid = r.relid and g.tgname like '!rowcast\_%')
select w.table_name, w.outdated, w.key_columns <> '{}', w.missing,
       array(select distinct name from t where root = w.relid and disabled order by 1),
       (select string_agg(enable, ' ' order by enable) from t where root = w.relid and disabled),
       (select string_agg(enable, ' ' order by enable) from t where root = w.relid and (disabled or blind)
        having bool_or(blind)),
       array(select name from r where root = w.relid and is_partition and not has_table_privilege('rowcast_refresh', r.relid, 'trigger') order by 1)
from rowcast.watched w order by 1
)sql");
    for (std::size_t i = 0; i < found.size(); ++i) {
        health.tables.push_back({text(found, i, 0), found.truth(i, 1), found.truth(i, 2), found.list(i, 3),
                                 found.list(i, 4), text(found, i, 5), text(found, i, 6), found.list(i, 7)});
    }
}

void read_transactions(connection& on, database_health& health)
{
    const rows open = on.execute(R"sql(
select pid, concat_ws(', ', usename, nullif(application_name, '')), coalesce(datname, ''), coalesce(state, ''),
       greatest(extract(epoch from clock_timestamp() - xact_start), 0)::bigint, coalesce(datname = current_database(), false),
       backend_xid is not null
from pg_stat_activity
where xact_start is not null and backend_type = 'client backend' and pid <> pg_backend_pid()
order by xact_start limit 50
)sql");
    for (std::size_t i = 0; i < open.size(); ++i) {
        health.transactions.push_back({static_cast<int>(open.number(i, 0)), text(open, i, 1), text(open, i, 2),
                                       text(open, i, 3), age(open, i, 4), open.truth(i, 5), open.truth(i, 6)});
    }
    const rows prepared =
        on.execute("select gid, database, owner, greatest(extract(epoch from clock_timestamp() - prepared), 0)::bigint "
                   "from pg_prepared_xacts order by prepared limit 50");
    for (std::size_t i = 0; i < prepared.size(); ++i) {
        health.prepared.push_back(
            {text(prepared, i, 0), text(prepared, i, 1), text(prepared, i, 2), age(prepared, i, 3)});
    }
}

void read_replication(connection& on, database_health& health)
{
    const rows slots = on.execute(
        "select slot_name, active, greatest(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), restart_lsn), 0)::bigint, "
        "coalesce(age(xmin), 0) from pg_replication_slots order by 1");
    for (std::size_t i = 0; i < slots.size(); ++i) {
        health.slots.push_back(
            {text(slots, i, 0), slots.truth(i, 1), slots.is_null(i, 2) ? 0 : slots.number(i, 2), slots.number(i, 3)});
    }
    const rows standbys = on.execute("select application_name, age(backend_xmin) from pg_stat_replication where "
                                     "backend_xmin is not null order by 1");
    for (std::size_t i = 0; i < standbys.size(); ++i) {
        health.standbys.push_back({text(standbys, i, 0), standbys.number(i, 1)});
    }
}

void read_log(connection& on, database_health& health)
{
    const rows log = on.execute("select pg_stat_get_live_tuples(oid), pg_stat_get_dead_tuples(oid) from pg_class "
                                "where oid = 'rowcast.change_log'::regclass");
    health.log_rows = log.number(0, 0);
    health.dead_log_rows = log.number(0, 1);
}

// A bridge's connections share a name, "rowcast doorbell" or what its URL gives them.
void read_key(connection& on, database_health& health)
{
    const rows holder = on.execute(
        "select format('pid %s (%s)', l.pid, coalesce(nullif(a.application_name, ''), a.usename)) from " + key_holder +
        " left join pg_stat_activity a on a.pid = l.pid where a.application_name is distinct from 'rowcast doorbell' "
        "and not exists (select from rowcast.bridges b join pg_stat_activity o on o.pid = b.backend "
        "where o.application_name = a.application_name)");
    if (!holder.empty()) {
        health.foreign_key_holder = holder.text(0, 0);
    }
}

// What rowcast.grant_bridge gives.
void read_rights(connection& on, database_health& health)
{
    const rows missing = on.execute(R"sql(
select 'usage on schema rowcast' where not has_schema_privilege($1, 'rowcast', 'usage')
union all
select 'select on rowcast.' || name from unnest('{change_log,settings,watched,bridges,revocations}'::text[]) name
where not has_table_privilege($1, 'rowcast.' || name, 'select')
union all
select 'execute on function rowcast.' || p.proname from pg_proc p
where p.pronamespace = 'rowcast'::regnamespace
  and p.proname = any ('{version,claim_identity,refresh,expire,publish,report_bridge,forget_bridge,revoke}')
  and not has_function_privilege($1, p.oid, 'execute')
)sql",
                                    {health.role});
    for (std::size_t i = 0; i < missing.size(); ++i) {
        health.missing_rights.push_back(text(missing, i, 0));
    }
}

} // namespace

database_health read_health(connection& on, const std::string& role)
{
    database_health health;
    health.role = role;
    read_server(on, health);
    read_clock(on, health);
    read_rights(on, health);
    read_tables(on, health);
    read_transactions(on, health);
    read_replication(on, health);
    read_log(on, health);
    read_key(on, health);
    return health;
}

} // namespace rowcast::postgres
