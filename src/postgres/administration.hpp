#pragma once

#include "core/result.hpp"
#include "postgres/connection_options.hpp"

#include <chrono>
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

// What rowcast.revoke takes.
struct revocation_wish {
    std::string kind; // user, token or session
    std::string name;
    std::optional<std::chrono::milliseconds> lasts; // nothing: a day
    std::optional<std::string> reason;
};

// What a bridge last said about itself (rowcast.bridges), and what the server knows of its session.
struct bridge_status {
    // Of the client that lacks most.
    struct slowest_cursor {
        double behind_s = 0;       // age of the oldest change that it has not been given
        std::uint64_t changes = 0; // about, from there on
        bool more_changes = false; // than were counted
        bool expired = false;      // retention has passed it
    };

    std::string id;
    std::string host;
    int process = 0;
    std::string version;
    std::string started;
    double seen_s = 0;     // ago
    bool connected = true; // its session is there
    std::string user;
    std::string address; // of that session; empty: by socket
    std::uint64_t sessions = 0;
    std::uint64_t subscriptions = 0;
    std::uint64_t catching_up = 0;
    std::optional<slowest_cursor> slowest; // nothing: everybody has everything
    std::string position;                  // a transaction id: everything below has been read
    std::string doorbell;
    double retention_age_s = 0;
    std::uint64_t retention_bytes = 0;
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
    std::vector<bridge_status> bridges;
    std::string doorbell_holder;         // "pid 123 (rowcast)": a bridge that reads by itself; empty: the bell rings
    double notification_queue_usage = 0; // 0 to 1; PostgreSQL fails every NOTIFY at 1
};

// How large the watched tables are, and what the caller may do with them.
struct table_sizes {
    struct size {
        std::string name;
        std::uint64_t bytes = 0; // on disk, with indexes and partitions
        std::uint64_t rows = 0;  // estimated
    };
    std::vector<size> tables;
    std::string role;
    bool may_watch = false;
};

class session;

// What a person does to a database, one call each. A failure's message is for them: where, what, and what to do.
class administration {
public:
    // `notice` gets PostgreSQL's warnings and notices as they are said; may be empty, must not throw.
    // No statement takes longer than `patience`: locks are waited for in short turns, for half a minute, and a large
    // table's first trigger is no slower than that.
    explicit administration(connection_options options, std::function<void(const std::string&)> notice = {},
                            std::chrono::milliseconds patience = std::chrono::minutes(5));

    // Installs or upgrades. `sql` is postgres::install_sql.
    core::result<void> install(std::string_view sql);
    core::result<void> uninstall(std::string_view sql);

    core::result<std::string> watch(const watch_options& options); // the table's full name
    core::result<bool> unwatch(const std::string& table);          // whether it was watched
    core::result<void> grant_bridge(const std::string& role);
    core::result<std::string> revoke(const revocation_wish& wish); // until when, ISO 8601
    core::result<std::vector<watched_table>> watched();
    // Changes nothing: in a copy of a database the log keeps the original's id until a bridge claims it.
    core::result<database_status> status();
    core::result<table_sizes> sizes();

private:
    template <class Act>
    auto attempt(Act act) -> core::result<decltype(act(std::declval<session&>()))>;

    connection_options options_;
    std::function<void(const std::string&)> notice_;
};

} // namespace rowcast::postgres
