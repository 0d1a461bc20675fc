#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "app/traffic.hpp"
#include "config/configuration.hpp"
#include "core/result.hpp"
#include "core/value.hpp"
#include "net/answer.hpp"
#include "net/services.hpp"
#include "net/session_listing.hpp"
#include "postgres/administration.hpp"

namespace rowcast::app {

// What operators see at GET /admin/NAME, and what they do from there. Those that read fail with bad_request or unknown_member.

// GET /admin/bridge: what this bridge knows of itself, without asking anybody.
struct bridge_facts {
    std::string id;
    std::string host;
    int process = 0;
    std::chrono::seconds up{0};
    std::string database; // where; no password
    std::vector<std::string> not_ready;
    bool connected = false;
    std::string doorbell;
    core::transaction_id position = 0;
    traffic::by_table tables;
};
net::answer bridge_told(const bridge_facts& facts);

// GET /admin/sessions
core::result<net::session_search> read_search(const core::value& parameters);
net::answer sessions_listed(const net::session_listing& found, core::transaction_id position);

// POST /admin/disconnect
core::result<net::session_choice> read_choice(const core::value& body);
net::answer sent_away(std::size_t sessions);

// GET /admin/rules
net::answer rules_listed(const net::permissions& now);

// GET /admin/database
net::answer database_told(const postgres::database_status& status, const postgres::table_sizes& sizes, const config::retention& keep);

// POST /admin/watch and /admin/unwatch
core::result<postgres::watch_options> read_watch(const core::value& body);
core::result<std::string> read_unwatch(const core::value& body);
net::answer table_done(const std::string& table);

} // namespace rowcast::app
