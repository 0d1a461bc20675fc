#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rowcast::torture {

inline constexpr int owners = 8;     // of rows; the first few are users
inline constexpr int publishers = 4; // each with a channel of its own, seq:0, seq:1, ...

// The tables, the roles and the first rows, as SQL for an empty database with rowcast installed.
std::string schema_sql();

// A user of the bridges, by the claims of the token.
struct user {
    std::string role; // customer, auditor, admin
    int owner = 0;    // whose rows are this customer's
};

// What a client subscribes to, and which rows that is: the same thing said to rowcast and to PostgreSQL.
struct view {
    std::string name; // of the subscription
    std::string table;
    std::string channel;              // instead of a table
    std::string filter;               // the client's, as JSON; empty: none
    std::string url_filter;           // the same in a URL
    std::vector<std::string> columns; // that it asks for; empty: all
    std::string sql;                  // gives key and row as JSON texts
};

// Everything that this user can see, with filters and columns of `variant` (any number).
std::vector<view> views_of(const user& who, unsigned variant);

// `tables` and `channels` of bridge.yaml, which say the same once more.
std::string rules_yaml();

} // namespace rowcast::torture
