#pragma once

#include <chrono>
#include <cstdint>

namespace rowcast::net {

// Both clocks at one moment: the steady one for heartbeats, seconds since the epoch for tokens.
struct moment {
    std::chrono::steady_clock::time_point steady;
    std::int64_t unix_seconds = 0;

    static moment now();

    // When to look whether that time has come: in a second at the earliest, and in an hour at the latest. Tokens may last for
    // centuries, clocks' arithmetic does not.
    std::chrono::steady_clock::time_point look_for(std::int64_t unix_time) const;
};

} // namespace rowcast::net
