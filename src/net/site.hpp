#pragma once

#include <algorithm>

#include "config/configuration.hpp"
#include "net/admin_router.hpp"
#include "net/descriptors.hpp"
#include "net/router.hpp"
#include "net/services.hpp"
#include "net/session_count.hpp"

namespace rowcast::net {

// What all shards have in common. Immutable, but for the count.
struct site {
    site(config::server settings_, config::rollout offered_, services with_, descriptor_shares most = share_descriptors(descriptor_limit()))
        : settings(std::move(settings_))
        , offered(offered_)
        , with(and_whether_there_is_room(std::move(with_)))
        , count(limited_to(settings.limits, most.sessions))
        , connections({.sessions = most.connections})
        , routes(settings, offered, with)
        , admin_routes(settings, with)
    {
    }
    site(const site&) = delete;

    const config::server settings;
    const config::rollout offered;
    const services with;
    session_count count;       // sessions
    session_count connections; // with everybody who has none yet, or no more
    session_count admin_connections{{.sessions = 32}}; // so that operators come in where clients no longer do
    const router routes;
    const admin_router admin_routes;

    void tell(const observe::observation& what) const
    {
        if (with.tell) {
            with.tell(what);
        }
    }

private:
    static config::limits limited_to(config::limits limits, std::size_t sessions)
    {
        limits.sessions = std::min(limits.sessions, sessions);
        return limits;
    }

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
