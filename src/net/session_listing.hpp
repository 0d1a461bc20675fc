#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/change.hpp"
#include "net/router.hpp"

namespace rowcast::net {

// A session as operators see it: who, from where, and how far.
struct session_description {
    std::string session; // its name, by which it is found again
    std::string user;    // empty: nobody knows
    std::vector<std::string> roles;
    std::string address;
    std::string_view transport;
    std::chrono::seconds age{0};
    std::size_t subscriptions = 0;
    std::vector<std::string> targets; // tables and channels, each once; the first ones
    bool catching_up = false;
    std::optional<core::transaction_id> lacks_from; // the first transaction of which it has not been handed everything
};

// Sessions are in the order of their users, then of their names.
using session_place = std::pair<std::string, std::string>;

// What operators look for among them.
struct session_search {
    std::string text;          // in the user's name, or all of a session's; empty: all
    std::string transport;     // empty: any
    bool catching_up = false;  // only those
    session_place after = {};  // only what comes after it
    std::size_t limit = 100;
};

struct session_listing {
    std::vector<session_description> sessions; // in order
    std::size_t matching = 0;                  // in all, those before `after` too
    bool more = false;                         // after the last of them
};

// Whom operators send away, to come back: one session, or all of a user.
struct session_choice {
    std::string session;
    std::string user;
};

// The most targets that a description has.
inline constexpr std::size_t most_targets = 8;

// Adds the name where there is room for it and it is not there yet.
void add_target(session_description& to, const std::string& name);

// Of a request that is answered for long: who asks, and for what.
void describe(session_description& to, const subscription_request& of);

} // namespace rowcast::net
