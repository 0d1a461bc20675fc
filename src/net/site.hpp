#pragma once

#include <algorithm>

#include "config/configuration.hpp"
#include "net/connect_rates.hpp"
#include "net/descriptors.hpp"
#include "net/services.hpp"
#include "net/session_count.hpp"
#include "net/time_limits.hpp"

namespace rowcast::net {

// What all shards have in common. Immutable, but for the counts.
struct site {
    site(const config::limits& limits, services with_, time_limits times_ = {})
        : with(and_whether_there_is_room(std::move(with_))), times(times_), count(limited(limits)), connections({.sessions = most.connections})
    {
    }
    site(const site&) = delete;

    const descriptor_shares most = share_descriptors(descriptor_limit());
    const services with;
    const time_limits times;
    session_count count;       // sessions
    session_count connections; // with everybody who has none yet, or no more
    session_count admin_connections{{.sessions = 32}}; // so that operators come in where clients no longer do
    connect_rates connects; // of clients

    void tell(const observe::observation& what) const
    {
        if (with.tell) {
            with.tell(what);
        }
    }

    // With as many sessions as there can be file descriptors.
    config::limits limited(config::limits limits) const
    {
        limits.sessions = std::min(limits.sessions, most.sessions);
        return limits;
    }

private:
    // A balancer should send new clients elsewhere.
    services and_whether_there_is_room(services given)
    {
        given.not_ready = [this, others = std::move(given.not_ready)] {
            std::vector<std::string> reasons = others ? others() : std::vector<std::string>();
            if (count.size() >= count.most()) {
                reasons.push_back("there are " + std::to_string(count.most()) + " sessions, as many as there may be");
            }
            return reasons;
        };
        return given;
    }
};

} // namespace rowcast::net
