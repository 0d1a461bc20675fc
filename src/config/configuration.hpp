#pragma once

#include "config/expectation.hpp"
#include "core/address.hpp"
#include "policy/rules.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rowcast::config {

// An address and a port, or a Unix socket.
struct endpoint {
    std::string address; // 127.0.0.1, ::1, or the absolute path of the socket's file
    std::uint16_t port = 0;

    bool is_path() const { return address.starts_with('/'); }
    bool operator==(const endpoint&) const = default;
};

// One of the places where clients or operators come in.
struct listener {
    endpoint at;
    unsigned mode = 0660;        // of a Unix socket's file
    bool tls = true;             // where there is a certificate; never for operators
    bool proxy_protocol = false; // each connection begins with its header

    bool operator==(const listener&) const = default;
};

// Who may say for whom they connect: X-Forwarded-For, PROXY protocol.
struct trusted_proxies {
    std::vector<core::network> networks;
    bool unix_sockets = false; // whoever may connect to one

    bool operator==(const trusted_proxies&) const = default;
};

struct retention {
    std::chrono::milliseconds age = std::chrono::hours(24);
    std::uint64_t size = 2ULL << 30; // bytes
};

// Initial rows: read by connections of their own.
struct rows {
    std::string url; // empty: the database's
    std::size_t concurrent = 4;
    std::size_t queue = 100;
    std::chrono::milliseconds wait = std::chrono::seconds(10);
    std::chrono::milliseconds timeout = std::chrono::seconds(60);
    std::size_t limit = 100'000;

    bool operator==(const rows&) const = default;
};

struct database {
    const std::string& rows_url() const { return rows.url.empty() ? url : rows.url; }

    std::string url;
    std::chrono::milliseconds poll_interval = std::chrono::seconds(5);
    retention keep;
    std::vector<std::string> notify_channels;
    config::rows rows;
};

struct limits {
    std::size_t sessions = 100'000;
    std::size_t sessions_per_user = 50;
    std::size_t sessions_per_address = 100'000;
    std::size_t subscriptions_per_session = 100;
    std::size_t message_size = 64 * 1024;
    std::size_t messages_per_second = 50;
    std::size_t connects_per_second_per_address = 50;
    std::size_t send_buffer = 1024 * 1024;
};

struct tls {
    std::string certificate;
    std::string key;
    std::chrono::milliseconds hsts{0}; // for how long browsers shall come by TLS only; zero: nothing is said
};

struct server {
    std::vector<listener> listen{{{"127.0.0.1", 8080}}};
    std::optional<listener> admin = listener{{"127.0.0.1", 8081}}; // nothing: off
    std::string admin_token; // empty: nobody may call /admin
    std::vector<std::string> admin_hosts; // names that lead to /admin, besides those that can only be ours; in small letters
    std::optional<tls> certificate;
    trusted_proxies proxies;
    std::vector<std::string> origins; // empty: same origin only
    std::chrono::milliseconds heartbeat = std::chrono::seconds(25);
    config::limits limits;
};

// One of secret (algorithms HS...), public_key (the others), jwks (whose keys say themselves what they are for).
struct jwt_key {
    std::string algorithm;
    std::string secret;
    std::string public_key;          // a file in PEM
    std::optional<std::string> jwks; // a file or a URL
    std::optional<std::string> issuer;
    std::optional<std::string> audience;
    std::optional<std::string> roles_claim = {}; // nothing: that of `auth`
    core::mark at;
};

struct auth {
    std::vector<jwt_key> jwt;
    std::string roles_claim = "roles"; // a dotted path
    bool anonymous = true;
    std::chrono::milliseconds leeway = std::chrono::seconds(30); // between the issuer's clock and ours
    std::chrono::milliseconds grace = std::chrono::seconds(30);  // for which a session goes on after its token has expired
    std::chrono::milliseconds longest_token = std::chrono::hours(24); // for as long an operator's call revokes
};

// Who is pushed to. Whoever is not, polls.
struct rollout {
    using users = std::set<std::string, std::less<>>; // by `sub`
    static constexpr std::size_t most_users = 1'000; // in a list

    unsigned websocket = 100; // percent
    unsigned sse = 100;
    bool force_polling = false; // nobody, whatever stands beside it
    users opt_in;               // are pushed to whatever the percentages are
    users opt_out;              // are not; also where they are in the other list
    bool operator==(const rollout&) const = default;
};

struct log {
    std::string level = "info";
    std::string format = "text";
};

// bridge.yaml, validated once. Durations and sizes have their units here, not in the file's text.
struct configuration {
    config::database database;
    config::server server;
    config::auth auth;
    config::rollout rollout;
    config::log log;
    policy::rules rules;
    std::vector<expectation> expectations;
};

} // namespace rowcast::config
