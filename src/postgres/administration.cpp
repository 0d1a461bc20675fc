#include "postgres/administration.hpp"

#include "postgres/log_identity.hpp"

#include <cstdlib>
#include <utility>

namespace rowcast::postgres {
namespace {

// Locks are waited for in short turns, for half a minute; a large table's first TRIGGER is no slower than that.
constexpr std::chrono::minutes patience{5};

parameter array(const std::optional<std::vector<std::string>>& list)
{
    return list ? parameter(to_array(*list)) : std::nullopt;
}

// As psql would find it, with the user's own search_path; everything else here is found without one.
std::string full_name(connection& on, const std::string& table)
{
    on.run_script("reset search_path");
    const std::string oid(on.execute("select $1::pg_catalog.regclass::pg_catalog.oid", {table}).text(0, 0));
    on.run_script("set search_path = pg_catalog");
    return std::string(on.execute("select $1::oid::regclass::text", {oid}).text(0, 0));
}

std::vector<watched_table> read_watched(connection& on)
{
    const rows found =
        on.execute("select table_name, columns, key_columns, all_columns, notify, triggers, misordering_triggers "
                   "from rowcast.watched order by table_name");
    std::vector<watched_table> tables;
    for (std::size_t i = 0; i < found.size(); ++i) {
        tables.push_back({std::string(found.text(i, 0)), found.list(i, 1), found.list(i, 2), found.truth(i, 3),
                          found.truth(i, 4), std::string(found.text(i, 5)), found.list(i, 6)});
    }
    return tables;
}

void read_log_size(connection& on, database_status& status)
{
    const rows size = on.execute("select pg_total_relation_size(c.oid), pg_stat_get_live_tuples(c.oid) "
                                 "from pg_class c where c.oid = 'rowcast.change_log'::regclass");
    status.log_bytes = size.number(0, 0);
    status.log_rows = size.number(0, 1);
    const rows oldest = on.execute("select at, extract(epoch from clock_timestamp() - at)::float8 "
                                   "from rowcast.change_log order by xid, id limit 1");
    if (!oldest.empty()) {
        status.oldest_change = oldest.text(0, 0);
        status.oldest_age_s = std::strtod(std::string(oldest.text(0, 1)).c_str(), nullptr);
    }
}

void read_bridges(connection& on, database_status& status)
{
    const rows found =
        on.execute("select pid, usename, client_addr, backend_start from pg_stat_activity "
                   "where datname = current_database() and application_name = 'rowcast bridge' order by backend_start");
    for (std::size_t i = 0; i < found.size(); ++i) {
        status.bridges.push_back({static_cast<int>(found.number(i, 0)), std::string(found.text(i, 1)),
                                  std::string(found.text(i, 2)), std::string(found.text(i, 3))});
    }
}

// pg_locks shows keys as unsigned.
void read_doorbell(connection& on, const log_identity& identity, database_status& status)
{
    const rows holder =
        on.execute("select format('pid %s (%s)', l.pid, coalesce(nullif(a.application_name, ''), a.usename)) "
                   "from pg_locks l left join pg_stat_activity a on a.pid = l.pid "
                   "where l.locktype = 'advisory' and l.mode = 'ExclusiveLock' and l.granted and l.objsubid = 2 "
                   "and l.database = (select oid from pg_database where datname = current_database()) "
                   "and l.classid::bigint = $1::bigint and l.objid::bigint = $2::bigint",
                   {std::to_string(static_cast<std::uint32_t>(identity.lock_class)),
                    std::to_string(static_cast<std::uint32_t>(identity.lock_key))});
    if (!holder.empty()) {
        status.doorbell_holder = holder.text(0, 0);
    }
    status.notification_queue_usage =
        std::strtod(std::string(on.execute("select pg_notification_queue_usage()").text(0, 0)).c_str(), nullptr);
}

} // namespace

administration::administration(connection_options options, std::function<void(const std::string&)> notice)
    : options_(std::move(options))
    , notice_(std::move(notice))
{
    options_.purpose = "rowcast command";
    options_.read_only = false;
    options_.statement_timeout = patience;
}

template <class Act>
auto administration::attempt(Act act) -> core::result<decltype(act(std::declval<connection&>()))>
{
    using value = decltype(act(std::declval<connection&>()));
    try {
        connection on(options_);
        const auto pass_on_notices = [&] {
            for (const std::string& each : on.take_notices()) {
                if (notice_) {
                    notice_(each);
                }
            }
        };
        try {
            if constexpr (std::is_void_v<value>) {
                act(on);
                pass_on_notices();
                return {};
            } else {
                value answer = act(on);
                pass_on_notices();
                return answer;
            }
        } catch (...) {
            pass_on_notices();
            throw;
        }
    } catch (const connection_lost& error) {
        return core::failure{core::error_code::unavailable, error.what()};
    } catch (const database_error& error) {
        const auto code = error.sqlstate() == "42501" ? core::error_code::forbidden : core::error_code::bad_request;
        return core::failure{code, error.what()};
    }
}

core::result<void> administration::install(std::string_view sql)
{
    return attempt([&](connection& on) { on.run_script(std::string(sql)); });
}

core::result<void> administration::uninstall(std::string_view sql)
{
    return attempt([&](connection& on) { on.run_script(std::string(sql)); });
}

core::result<std::string> administration::watch(const watch_options& options)
{
    return attempt([&](connection& on) {
        const std::string name = full_name(on, options.table);
        const parameter notify = options.notify ? parameter(*options.notify ? "true" : "false") : std::nullopt;
        on.execute("select rowcast.watch($1::regclass, $2::text[], $3::text[], $4::text[], $5::boolean)",
                   {name, array(options.columns), array(options.except), array(options.key), notify});
        return name;
    });
}

core::result<bool> administration::unwatch(const std::string& table)
{
    return attempt([&](connection& on) {
        return on.execute("select rowcast.unwatch($1::regclass)", {full_name(on, table)}).truth(0, 0);
    });
}

core::result<void> administration::grant_bridge(const std::string& role)
{
    return attempt(
        [&](connection& on) { on.execute("select rowcast.grant_bridge($1::regrole)", {on.quote_name(role)}); });
}

core::result<std::vector<watched_table>> administration::watched()
{
    return attempt(read_watched);
}

core::result<database_status> administration::status()
{
    return attempt([](connection& on) {
        const log_identity identity = claim_identity(on);
        database_status status;
        status.server_version = on.server_version_text();
        status.sql_version = on.execute("select rowcast.version()").text(0, 0);
        status.log_id = identity.log_id;
        status.timeline = identity.timeline;
        status.tables = read_watched(on);
        read_log_size(on, status);
        read_bridges(on, status);
        read_doorbell(on, identity, status);
        return status;
    });
}

} // namespace rowcast::postgres
