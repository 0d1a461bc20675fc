#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "app/traffic.hpp"
#include "config/configuration.hpp"
#include "config/problem.hpp"
#include "core/result.hpp"
#include "net/answer.hpp"
#include "net/services.hpp"
#include "net/session_listing.hpp"
#include "policy/explanation.hpp"
#include "postgres/administration.hpp"

namespace rowcast::app {

// What operators are told at /admin/NAME, in JSON.

// What a bridge knows of itself, without asking anybody.
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

net::answer sessions_listed(const net::session_listing& found, core::transaction_id position);
net::answer sent_away(std::size_t sessions);

net::answer rules_listed(const net::permissions& now);
net::answer explained(const policy::explanation& what);
net::answer not_let_in(const core::failure& why); // a user who is asked about

net::answer database_told(const postgres::database_status& status, const postgres::table_sizes& sizes, const config::retention& keep);
net::answer table_watched(const std::string& table, const std::vector<std::string>& warnings); // PostgreSQL's
net::answer table_unwatched(const std::string& table);

net::answer rollout_stands(const config::rollout& now, bool as_configured);
net::answer revoke_done(const postgres::revocation_wish& wish, const std::string& until);
net::answer reload_done(const std::vector<std::string>& needs_restart);
net::answer reload_refused(const std::vector<config::problem>& problems); // problem+json with `problems`

} // namespace rowcast::app
