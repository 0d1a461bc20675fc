#pragma once

#include "observe/observation.hpp"
#include "postgres/bridge_register.hpp"
#include "postgres/connection.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace rowcast::postgres {

struct maintenance_options {
    connection_options connection;
    std::chrono::milliseconds retention_age = std::chrono::hours(24);
    std::uint64_t retention_bytes = 2'000'000'000;
    std::chrono::milliseconds at_most = std::chrono::seconds(2); // how long one round of retention may take
    std::function<bridge_report()> report = nullptr; // asked once a round; empty: nothing is reported
};

// What the database needs done now and then: triggers for new partitions, old changes removed, and to know which bridges
// there are. For a thread of its own. Any number of bridges may do it: the database lets one at a time.
class maintenance {
public:
    // Both must outlive it; `stop` may be null, and ends a round early.
    maintenance(maintenance_options options, const observe::sink& sink, const event* stop);

    // One round. Never throws: what fails is told as background_failed, and tried again in the next round.
    void run();

    // Takes this bridge off the list, on a connection that `stop` does not end: a second at the most. Never throws.
    void leave();

    // With other limits from the next round on.
    void set_retention(std::chrono::milliseconds age, std::uint64_t bytes);

private:
    void refresh();
    void expire();
    void report();
    void measure(); // now and then: how large the log is, and what else is worth a look

    maintenance_options options_;
    const observe::sink& sink_;
    const event* stop_;
    std::optional<connection> connection_;
    bridge_register register_;
    std::optional<std::chrono::steady_clock::time_point> measured_;
};

} // namespace rowcast::postgres
