#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include "core/change.hpp"

namespace rowcast::hub {

// Where the clients stand, all together.
struct standing {
    std::size_t sessions = 0; // feeds: a poll is one while it is answered
    std::size_t subscriptions = 0;
    std::size_t catching_up = 0; // sessions with something that is not on the live stream
    // Of every transaction below this one everything has been handed out to everybody; nothing: so it has of all.
    std::optional<core::transaction_id> slowest;

    void add(const standing& other)
    {
        sessions += other.sessions;
        subscriptions += other.subscriptions;
        catching_up += other.catching_up;
        if (other.slowest) {
            slowest = std::min(slowest.value_or(*other.slowest), *other.slowest);
        }
    }
};

} // namespace rowcast::hub
