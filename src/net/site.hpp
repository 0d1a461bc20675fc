#pragma once

#include "config/configuration.hpp"
#include "net/router.hpp"
#include "net/services.hpp"
#include "net/session_count.hpp"

namespace rowcast::net {

// What all shards have in common. Immutable, but for the count.
struct site {
    site(config::server settings_, config::rollout offered_, services with_)
        : settings(std::move(settings_))
        , offered(offered_)
        , with(std::move(with_))
        , count(settings.limits)
        , routes(settings, offered, with)
    {
    }
    site(const site&) = delete;

    const config::server settings;
    const config::rollout offered;
    const services with;
    session_count count;
    const router routes;

    void tell(const observe::observation& what) const
    {
        if (with.tell) {
            with.tell(what);
        }
    }
};

} // namespace rowcast::net
