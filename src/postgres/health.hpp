#pragma once

#include "postgres/connection.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rowcast::postgres {

// What an experienced DBA would look at in a database with rowcast, beside what administration::status() tells. Facts
// alone: who judges them (cli/diagnosis.hpp) needs no server.
struct database_health {
    using seconds = std::chrono::seconds;

    struct table {
        std::string name;
        bool outdated = false;                 // renamed or altered since it was last looked at
        bool has_key = true;
        std::vector<std::string> missing;      // its relations without all triggers
        std::vector<std::string> disabled;     // those with a disabled one
        std::string enable;                    // statements that enable them
        std::string enable_always;             // and those that are blind to session_replication_role = replica; empty: none is
        std::vector<std::string> unrefreshable; // partitions that refresh() may give no triggers
    };

    // A session in a transaction, of this or another database: whoever has a transaction id holds back all of them.
    struct transaction {
        int process = 0;
        std::string who; // "role, program"
        std::string database;
        std::string state; // "idle in transaction"
        seconds age{0};
        bool here = true;    // of this database
        bool writes = false; // has a transaction id
    };

    struct prepared_transaction {
        std::string name;
        std::string database;
        std::string owner;
        seconds age{0};
    };

    struct replication_slot {
        std::string name;
        bool active = true;
        std::uint64_t kept_bytes = 0;       // of the write-ahead log
        std::uint64_t held_transactions = 0; // that vacuum must not clean up after
    };

    struct standby {
        std::string name;
        std::uint64_t held_transactions = 0; // by hot_standby_feedback
    };

    int version = 0; // 150008
    std::string role; // the bridge's
    bool sees_sessions = true; // of others
    std::map<std::string, std::string> settings; // as they are for this role's new sessions
    bool has_replica_writers = false; // somebody's settings say session_replication_role = replica
    std::uint64_t connections = 0;
    std::chrono::milliseconds clock_ahead{0}; // the server's, as far as it can be told
    std::vector<table> tables;
    std::vector<transaction> transactions; // the oldest
    std::vector<prepared_transaction> prepared;
    std::vector<replication_slot> slots;
    std::vector<standby> standbys;
    std::uint64_t log_rows = 0;
    std::uint64_t dead_log_rows = 0;
    std::optional<std::string> foreign_key_holder; // "pid 123 (psql)": the doorbell's key is in the hands of no bridge
    std::vector<std::string> missing_rights;       // of the role
};

// `role` is the one that the bridge connects as. rowcast must be installed. Throws as the connection does.
database_health read_health(connection& on, const std::string& role);

} // namespace rowcast::postgres
