#pragma once

#include "config/configuration.hpp"
#include "net/request.hpp"
#include "net/router.hpp"
#include "net/services.hpp"

namespace rowcast::net {

// Where a request to `server.admin` goes: health, metrics, and /admin/NAME, which wants `server.admin_token`, and for a
// POST a body in JSON. A browser on the same machine reaches loopback too, with any page that is open in it: pages of other
// origins are refused, and a form cannot send JSON. Pure, but for the services that it asks; any thread.
class admin_router {
public:
    admin_router(const config::server& settings, const services& with) : settings_(settings), with_(with) {}

    route find(const request& asked) const;

private:
    route call(const request& asked) const;
    route inspect(const request& asked) const;
    core::result<void> authorize(const request& asked) const;

    const config::server& settings_;
    const services& with_;
};

} // namespace rowcast::net
