#pragma once

#include "core/result.hpp"
#include "postgres/connection_options.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rowcast::postgres {

struct watch_options {
    std::string table; // as psql would find it; a schema may stand before it
    std::optional<std::vector<std::string>> columns;
    std::optional<std::vector<std::string>> except;
    std::optional<std::vector<std::string>> key;
    std::optional<bool> notify;
};

struct watched_table {
    std::string name;
    std::vector<std::string> columns;
    std::vector<std::string> key;
    bool all_columns = true;
    bool notify = true;
    std::string triggers; // ok, missing or disabled
    std::vector<std::string> misordering_triggers;
};

struct bridge_session {
    int backend = 0;
    std::string user;
    std::string address; // empty: by socket
    std::string connected_since;
};

struct database_status {
    std::string server_version;
    std::string sql_version;
    std::string log_id;
    unsigned timeline = 0;
    std::vector<watched_table> tables;
    std::uint64_t log_bytes = 0; // on disk, with indexes
    std::uint64_t log_rows = 0;  // estimated
    std::string oldest_change;   // its time; empty: none
    double oldest_age_s = 0;
    std::vector<bridge_session> bridges;
    std::string doorbell_holder;         // "pid 123 (rowcast)": a bridge that reads by itself; empty: the bell rings
    double notification_queue_usage = 0; // 0 to 1; PostgreSQL fails every NOTIFY at 1
};

class session;

// What a person does to a database, one call each. A failure's message is for them: where, what, and what to do.
class administration {
public:
    // `notice` gets PostgreSQL's warnings and notices as they are said; may be empty, must not throw.
    explicit administration(connection_options options, std::function<void(const std::string&)> notice = {});

    // Installs or upgrades. `sql` is postgres::install_sql.
    core::result<void> install(std::string_view sql);
    core::result<void> uninstall(std::string_view sql);

    core::result<std::string> watch(const watch_options& options); // the table's full name
    core::result<bool> unwatch(const std::string& table);          // whether it was watched
    core::result<void> grant_bridge(const std::string& role);
    core::result<std::vector<watched_table>> watched();
    // Changes nothing: in a copy of a database the log keeps the original's id until a bridge claims it.
    core::result<database_status> status();

private:
    template <class Act>
    auto attempt(Act act) -> core::result<decltype(act(std::declval<session&>()))>;

    connection_options options_;
    std::function<void(const std::string&)> notice_;
};

} // namespace rowcast::postgres
