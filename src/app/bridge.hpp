#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "net/services.hpp"
#include "observe/observation.hpp"

namespace rowcast::app {

// The whole bridge: builds everything from a configuration, starts and stops it in order.
//
//     PostgreSQL -> follower (thread) -> hub (thread) -> shards (a thread each) -> clients
//                   log readings (threads) ----------------^
//                   keeper (thread): the catalog, partitions, retention
//
// PostgreSQL may be away at any time, at the start as well: clients are then kept waiting, and /readyz says why.
class bridge {
public:
    struct extras {
        observe::sink tell;                                                  // thread-safe; may be empty
        std::function<std::string()> metrics;                                // for /metrics; empty: 404
        std::function<std::optional<net::page>(std::string_view)> find_page; // other pages; empty: 404
        std::function<config::loaded()> read_again = {};                     // for `reload`; empty: there is nothing to be read
        std::string file = {};                                               // what problems call it
        std::function<void(const config::configuration&)> reloaded = {};     // what is not the bridge's: the log
        std::function<std::string()> examine = {};                           // for operators, what `rowcast doctor` finds, in JSON; may take its time
    };

    // Throws std::invalid_argument for a key that cannot be used. The configuration has been validated.
    bridge(config::configuration settings, extras with);
    ~bridge(); // stops
    bridge(const bridge&) = delete;

    // Returns when clients are listened to, not when PostgreSQL is there. Throws std::system_error where the address
    // cannot be listened to.
    void start();

    // Tells the clients, waits for them to leave, at most so long. From one thread, once.
    void stop(std::chrono::milliseconds deadline = std::chrono::seconds(10));

    // Reads the configuration again. Where it is valid, and its rules fit the watched tables, it takes the place of the old
    // one, but for what needs a restart, and open sessions are held against it; else nothing changes. What came of it is
    // told. Returns the problems. Any thread.
    std::vector<config::problem> reload();

    std::uint16_t port() const;
    std::uint16_t admin_port() const; // 0: server.admin is off
    std::vector<std::string> not_ready() const; // as /readyz says it: why; none: ready

    // Whether the hub and every shard get round to something new in that time. Not from one of their threads.
    bool answers(std::chrono::milliseconds within);

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

} // namespace rowcast::app
