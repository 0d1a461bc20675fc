#include "postgres/administration.hpp"

#include "postgres/doorbell_key.hpp"
#include "postgres/log_identity.hpp"
#include "postgres/session.hpp"

#include <pqxx/except>

#include <chrono>
#include <type_traits>

namespace rowcast::postgres {
namespace {

parameter array(const std::optional<std::vector<std::string>>& list)
{
    return list ? parameter(to_array(*list)) : std::nullopt;
}

std::vector<std::string> list(const pqxx::field& field)
{
    return field.is_null() ? std::vector<std::string>{} : from_array(field.c_str());
}

// As psql would find it, with the user's own search_path; everything else here is found without one.
std::string full_name(session& on, const std::string& table)
{
    on.execute("reset search_path");
    const std::string oid = on.execute("select $1::pg_catalog.regclass::pg_catalog.oid", {table}).at(0).at(0).c_str();
    on.execute("set search_path = pg_catalog");
    return on.execute("select $1::oid::regclass::text", {oid}).at(0).at(0).c_str();
}

std::vector<watched_table> read_watched(session& on)
{
    std::vector<watched_table> tables;
    for (const auto& row :
         on.execute("select table_name, columns, key_columns, all_columns, notify, triggers, misordering_triggers "
                    "from rowcast.watched order by table_name")) {
        tables.push_back({row.at(0).c_str(), list(row.at(1)), list(row.at(2)), row.at(3).as<bool>(),
                          row.at(4).as<bool>(), row.at(5).c_str(), list(row.at(6))});
    }
    return tables;
}

// What claim_identity() would say; it changes the log of a copy, and this only looks.
void read_identity(session& on, database_status& status)
{
    const auto row =
        on.execute("select log_id, ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int "
                   "from rowcast.settings")
            .at(0);
    status.log_id = row.at(0).c_str();
    status.timeline = row.at(1).as<unsigned>();
}

void read_log_size(session& on, database_status& status)
{
    const auto size = on.execute("select pg_total_relation_size(c.oid), pg_stat_get_live_tuples(c.oid) "
                                 "from pg_class c where c.oid = 'rowcast.change_log'::regclass")
                          .at(0);
    status.log_bytes = size.at(0).as<std::uint64_t>();
    status.log_rows = size.at(1).as<std::uint64_t>();
    const auto oldest = on.execute("select at, extract(epoch from clock_timestamp() - at)::float8 "
                                   "from rowcast.change_log order by xid, id limit 1");
    if (!oldest.empty()) {
        status.oldest_change = oldest.at(0).at(0).c_str();
        status.oldest_age_s = oldest.at(0).at(1).as<double>();
    }
}

// Counting more than that says no more, and takes its time.
constexpr std::uint64_t most_counted = 1'000'000;

bridge_status::slowest_cursor read_slowest(session& on, const std::string& xid)
{
    const auto row = on.execute("select coalesce(extract(epoch from clock_timestamp() - (select at from rowcast.change_log "
                                "where xid >= $1::xid8 order by xid, id limit 1)), 0)::float8, "
                                "(select count(*) from (select from rowcast.change_log where xid >= $1::xid8 limit $2::bigint) l), "
                                "(select expired_xid >= $1::xid8 from rowcast.settings)",
                                {xid, std::to_string(most_counted + 1)})
                         .at(0);
    bridge_status::slowest_cursor slowest;
    slowest.behind_s = row.at(0).as<double>();
    slowest.changes = row.at(1).as<std::uint64_t>();
    slowest.expired = row.at(2).as<bool>();
    if (slowest.changes > most_counted) {
        slowest.changes = most_counted;
        slowest.more_changes = true;
    }
    return slowest;
}

void read_bridges(session& on, database_status& status)
{
    for (const auto& row : on.execute(
             "select b.id, b.host, b.process, b.version, b.started, extract(epoch from clock_timestamp() - b.seen)::float8, "
             "a.pid is not null, a.usename, a.client_addr, b.sessions, b.subscriptions, b.catching_up, b.slowest, b.position, "
             "b.doorbell, extract(epoch from b.retention_age)::float8, b.retention_bytes "
             "from rowcast.bridges b "
             "left join pg_stat_activity a on a.pid = b.backend and a.datname = current_database() order by b.started")) {
        bridge_status bridge;
        bridge.id = row.at(0).c_str();
        bridge.host = row.at(1).c_str();
        bridge.process = row.at(2).as<int>();
        bridge.version = row.at(3).c_str();
        bridge.started = row.at(4).c_str();
        bridge.seen_s = row.at(5).as<double>();
        bridge.connected = row.at(6).as<bool>();
        bridge.user = row.at(7).c_str();
        bridge.address = row.at(8).c_str();
        bridge.sessions = row.at(9).as<std::uint64_t>();
        bridge.subscriptions = row.at(10).as<std::uint64_t>();
        bridge.catching_up = row.at(11).as<std::uint64_t>();
        if (!row.at(12).is_null()) {
            bridge.slowest = read_slowest(on, row.at(12).c_str());
        }
        bridge.position = row.at(13).c_str();
        bridge.doorbell = row.at(14).c_str();
        bridge.retention_age_s = row.at(15).as<double>();
        bridge.retention_bytes = row.at(16).as<std::uint64_t>();
        status.bridges.push_back(std::move(bridge));
    }
}

void read_doorbell(session& on, database_status& status)
{
    const auto holder =
        on.execute("select format('pid %s (%s)', l.pid, coalesce(nullif(a.application_name, ''), a.usename)) "
                   "from " + key_holder + " left join pg_stat_activity a on a.pid = l.pid");
    if (!holder.empty()) {
        status.doorbell_holder = holder.at(0).at(0).c_str();
    }
    status.notification_queue_usage = on.execute("select pg_notification_queue_usage()").at(0).at(0).as<double>();
}

core::failure unreadable(const connection_options& options, const std::exception& error)
{
    return {core::error_code::bad_request, place_of(options.url) + " gave an unexpected answer: " + error.what()};
}

} // namespace

administration::administration(connection_options options, std::function<void(const std::string&)> notice, std::chrono::milliseconds patience)
    : options_(std::move(options))
    , notice_(std::move(notice))
{
    options_.purpose = "rowcast command";
    options_.read_only = false;
    options_.statement_timeout = patience;
}

template <class Act>
auto administration::attempt(Act act) -> core::result<decltype(act(std::declval<session&>()))>
{
    try {
        session on(options_, notice_);
        if constexpr (std::is_void_v<decltype(act(on))>) {
            act(on);
            return {};
        } else {
            return act(on);
        }
    } catch (const connection_lost& error) {
        return core::failure{core::error_code::unavailable, error.what()};
    } catch (const database_error& error) {
        const auto code = error.sqlstate() == "42501" ? core::error_code::forbidden : core::error_code::bad_request;
        return core::failure{code, error.what()};
    } catch (const pqxx::conversion_error& error) {
        return unreadable(options_, error);
    } catch (const pqxx::range_error& error) {
        return unreadable(options_, error);
    }
}

core::result<void> administration::install(std::string_view sql)
{
    return attempt([&](session& on) { on.execute(std::string(sql)); });
}

core::result<void> administration::uninstall(std::string_view sql)
{
    return attempt([&](session& on) { on.execute(std::string(sql)); });
}

core::result<std::string> administration::watch(const watch_options& options)
{
    return attempt([&](session& on) {
        const std::string name = full_name(on, options.table);
        const parameter notify = options.notify ? parameter(*options.notify ? "true" : "false") : std::nullopt;
        on.execute("select rowcast.watch($1::regclass, $2::text[], $3::text[], $4::text[], $5::boolean)",
                   {name, array(options.columns), array(options.except), array(options.key), notify});
        return name;
    });
}

core::result<bool> administration::unwatch(const std::string& table)
{
    return attempt([&](session& on) {
        return on.execute("select rowcast.unwatch($1::regclass)", {full_name(on, table)}).at(0).at(0).as<bool>();
    });
}

core::result<void> administration::grant_bridge(const std::string& role)
{
    return attempt([&](session& on) { on.execute("select rowcast.grant_bridge($1::regrole)", {on.quote_name(role)}); });
}

core::result<std::string> administration::revoke(const revocation_wish& wish)
{
    return attempt([&](session& on) {
        const std::string lasts = std::to_string(wish.lasts.value_or(std::chrono::hours(24)).count()) + " milliseconds";
        return std::string(on.execute("select to_char(rowcast.revoke($1, $2, $3::interval, $4) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
                                      {wish.kind, wish.name, lasts, wish.reason ? parameter(*wish.reason) : std::nullopt})
                               .at(0)
                               .at(0)
                               .c_str());
    });
}

core::result<std::vector<watched_table>> administration::watched()
{
    return attempt(read_watched);
}

core::result<database_status> administration::status()
{
    return attempt([](session& on) {
        check_installation([&](const char* sql) { return on.ask(sql); }, on.place());
        database_status status;
        status.server_version = on.ask("show server_version");
        status.sql_version = on.ask("select rowcast.version()");
        read_identity(on, status);
        status.tables = read_watched(on);
        read_log_size(on, status);
        read_bridges(on, status);
        read_doorbell(on, status);
        return status;
    });
}

core::result<table_sizes> administration::sizes()
{
    return attempt([](session& on) {
        table_sizes found;
        for (const auto& row : on.execute("select w.table_name, coalesce(sum(pg_total_relation_size(r)), 0), "
                                          "coalesce(sum(c.reltuples) filter (where c.relkind <> 'p' and c.reltuples > 0), 0)::bigint "
                                          "from rowcast.watched w, rowcast.table_relations(w.relid) r join pg_class c on c.oid = r "
                                          "group by 1 order by 1")) {
            found.tables.push_back({row.at(0).c_str(), row.at(1).as<std::uint64_t>(), row.at(2).as<std::uint64_t>()});
        }
        const auto row = on.execute("select current_user, has_function_privilege('rowcast.watch(regclass, text[], text[], text[], boolean)', 'execute')").at(0);
        found.role = row.at(0).c_str();
        found.may_watch = row.at(1).as<bool>();
        return found;
    });
}

} // namespace rowcast::postgres
