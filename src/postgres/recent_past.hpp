#pragma once

#include "core/batch.hpp"
#include "observe/observation.hpp"
#include "postgres/connection.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace rowcast::postgres {

// The newest part of the log as one step, from a snapshot that nobody took to now: all transactions below some number
// but those that are open still. Whoever has everything that `from` sees can be served from `pages`; the order inside
// one step is right whatever it starts from.
struct recent_past {
    core::snapshot from;
    std::vector<core::batch_ptr> pages; // at least one; the last is complete, and ends now
};

struct recent_past_limits {
    std::size_t changes = 100'000;
    std::size_t bytes = 16 * 1024 * 1024; // of memory, about
    std::chrono::milliseconds time = std::chrono::seconds(2);
};

// Nothing where it takes too long, does not fit or is being removed: it is a help, not a need. `prepare_log_statement`
// must have been called. Throws connection_lost, interrupted.
std::optional<recent_past> read_recent_past(connection& on, const observe::sink& sink, const recent_past_limits& most = {});

} // namespace rowcast::postgres
