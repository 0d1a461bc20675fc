#pragma once

#include "config/configuration.hpp"
#include "net/request.hpp"
#include "net/router.hpp"
#include "net/services.hpp"

namespace rowcast::net {

// Where a request to `server.admin` goes: health, metrics, the page at /admin, and what it and programs ask for at
// /admin/NAME: GET looks, POST does something and wants a body in JSON; both want `server.admin_token` in a header, which
// no browser sends by itself. A browser on the same machine reaches loopback too, with any page that is open in it: pages
// of other origins are refused, and a form cannot send JSON. Pure, but for the services that it asks; any thread.
class admin_router {
public:
    admin_router(const config::server& settings, const services& with) : settings_(settings), with_(with) {}

    route find(const request& asked) const;

private:
    route administer(const request& asked, std::string_view name) const;
    route look(const request& asked, const admin_action& at) const;
    route call(const request& asked, const admin_action& action) const;
    core::result<void> authorize(const request& asked) const;

    const config::server& settings_;
    const services& with_;
};

} // namespace rowcast::net
